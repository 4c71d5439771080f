/** What the sweep says of nginx's `sndbuf` is what a real nginx does here. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { freePort } from '../../bench/cost/free-port.js';
import type { Family } from '../../bench/tune/model.js';
import { settingsFor } from '../../bench/tune/settings.js';
import { hasDiagnosis, startProgram } from '../support/listeners.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, nextTurn, temporaryDirectory } from '../support/sockets.js';
import { foundOf, MIB } from '../support/sweeps.js';

const nginx = requireOrSkip('nginx');
const ss = requireOrSkip('ss');

/** The line of nginx's that the sweep prints where 1 MiB is to be set; undefined where it says that there is none. */
function printedLine(family: Family): string | undefined {
  const made = [
    { buffer: 'default', rates: [100, 100, 100] },
    { buffer: MIB, rates: [150, 150, 150] },
  ] as const;
  const settings = settingsFor(foundOf(made, { family }));
  return settings.filter(({ where }) => where === 'nginx').flatMap(({ lines }) => lines)[0];
}

/** A connection that has been accepted, as it has been answered. */
async function answeredBy(target: net.NetConnectOpts): Promise<net.Socket> {
  for (;;) {
    const socket = net.connect(target);
    cleanup(() => socket.destroy());
    const answered = await new Promise<boolean>((resolve) => {
      // Before nginx listens TCP may have connected to itself.
      socket.on('data', (data: Buffer) => {
        resolve(data.toString('latin1').startsWith('HTTP/1.1 200'));
      });
      socket.on('error', () => {
        resolve(false);
      });
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    // Not listening yet.
    if (answered) return socket;
    socket.destroy();
    await nextTurn();
  }
}

/** SO_SNDBUF of the sockets with this local address, by their state, as `ss` has it. */
function sendBuffers(family: '-x' | '-t', local: string): Record<string, number[]> {
  const lines = execFileSync(ss ?? '', [family, '-amnHO', 'src', local], { encoding: 'utf8' }).split('\n');
  const found: Record<string, number[]> = {};
  for (const line of lines) {
    const words = line.trim().split(/\s+/).filter(Boolean);
    // A UNIX socket's line has its type first.
    const [state = '', , , address] = family === '-x' ? words.slice(1) : words;
    const buffer = /skmem:\(.*\btb(\d+)/.exec(line)?.[1];
    if (address === local && buffer !== undefined) (found[state] ??= []).push(Number(buffer));
  }
  return found;
}

describe.skipIf(!hasDiagnosis || nginx === undefined || ss === undefined)("nginx's sndbuf", () => {
  test('is taken over by accepted TCP connections, and not by UNIX ones', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'nginx.sock');
    const port = await freePort();
    const tcp = printedLine('tcp')?.replace(':8080 ', `:${String(port)} `);
    expect(tcp).toBe(`listen 127.0.0.1:${String(port)} sndbuf=1048576;`);
    expect(printedLine('unix')).toBeUndefined();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${directory}/t;`,
    );
    const config = join(directory, 'nginx.conf');
    writeFileSync(
      config,
      `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${directory}/pid; error_log ${directory}/error.log;
      events { worker_connections 64; }
      http { access_log off; ${temporary.join(' ')}
        server { ${tcp ?? ''} listen unix:${path} sndbuf=1m; location / { return 200 hello; } } }`,
    );
    startProgram([nginx ?? '', '-c', config, '-p', directory, '-e', `${directory}/error.log`]);
    // nginx listens before it sets the buffer: what connects between the two has the system's.
    (await answeredBy({ host: '127.0.0.1', port })).destroy();
    await answeredBy({ host: '127.0.0.1', port });
    await answeredBy({ path });
    const [set] = sendBuffers('-x', path)['LISTEN'] ?? [];
    expect(set).toBeGreaterThan(MIB / 2);
    expect(sendBuffers('-t', `127.0.0.1:${String(port)}`)).toEqual({ LISTEN: [set], ESTAB: [set] });
    const { ESTAB: accepted } = sendBuffers('-x', path);
    expect(accepted).toHaveLength(1);
    expect(accepted?.[0]).toBeLessThan(set ?? 0);
  });
});
