/** A UNIX path whose socket does not take the connection: a file that is left over, and a socket that is not ready. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, socketPath } from '../support/sockets.js';
import { refusalMayBeFullQueue, subjects } from '../support/subjects.js';

const python = requireOrSkip('python');

/** Binds, and listens when it is told to; node's listen() does both. */
const PROGRAM = `
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
print('bound', flush=True)
if sys.stdin.readline():
    server.listen(1)
    server.accept()[0].sendall(b'taken')
`;

type Program = ChildProcessByStdio<Writable, Readable, null>;

async function bindOnly(path: string): Promise<Program> {
  const child = spawn(python ?? '', ['-c', PROGRAM, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  cleanup(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

describe.skipIf(python === undefined)('a UNIX path that does not take connections', () => {
  it.each(subjects)('$name: a file whose socket is gone refuses at once', async (subject) => {
    const path = socketPath();
    const child = await bindOnly(path);
    const exit = once(child, 'exit');
    child.stdin.end();
    await exit;
    const client = subject.connect({ path });
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', address: path });
  });

  it.each(subjects)('$name: a socket that is bound and does not listen yet', async (subject) => {
    const path = socketPath();
    const child = await bindOnly(path);
    const client = subject.connect({ path });
    cleanup(() => client.destroy());
    if (!refusalMayBeFullQueue(subject.name)) {
      const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
      expect(error).toMatchObject({ code: 'ECONNREFUSED' });
      return;
    }
    let refusal: Error | undefined;
    client.on('error', (error) => (refusal = error));
    // Refused by the first attempt, which no error tells.
    for (let i = 0; i < 10; i++) await turn();
    expect([client.connecting, refusal]).toEqual([true, undefined]);
    child.stdin.write('listen\n');
    const [taken] = (await once(client, 'data')) as [Buffer];
    expect(taken.toString()).toBe('taken');
  });
});
