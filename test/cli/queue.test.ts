/** `nearwire queue`: the accept queues of any listeners, and what a health check reads from the exit code. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { runCli } from '../support/cli.js';
import { connectMany, hasDiagnosis, otherServer, stop } from '../support/listeners.js';
import { closeAtEnd, socketPath } from '../support/sockets.js';

const folder = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.skipIf(!hasDiagnosis)('nearwire queue', () => {
  test('shows each listener, UNIX and TCP, as text and as JSON', async () => {
    const path = socketPath();
    await otherServer({ path, backlog: 7 });
    const server = net.createServer().listen({ port: 0, host: '127.0.0.1', backlog: 9 });
    closeAtEnd(server);
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const targets = [path, String(port), `127.0.0.1:${String(port)}`];
    const text = await runCli(['queue', ...targets]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout.split('\n').map((line) => line.replace(/^\S+\s+/, ''))).toEqual([
      '0 waiting, backlog 7',
      '0 waiting, backlog 9',
      '0 waiting, backlog 9',
      '',
    ]);
    const file = join(folder, 'queue.json');
    expect(await runCli(['queue', '--json', '--output', file, ...targets])).toMatchObject({ code: 0, stdout: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      schema: 1,
      listeners: targets.map((target) => ({ target, queue: { queued: 0 } })),
    });
  });

  test('exits with 1 if more wait than are allowed, and with 3 if no process listens at one of them', async () => {
    const stalled = socketPath();
    await stop(await otherServer({ path: stalled, backlog: 4 }));
    await connectMany({ path: stalled }, 2);
    expect((await runCli(['queue', stalled, '--max-queued', '2'])).code).toBe(0);
    const crowded = await runCli(['queue', stalled, '--max-queued', '1']);
    expect(crowded).toMatchObject({ code: 1, stderr: '' });
    expect(crowded.stdout).toContain('2 waiting');
    const both = await runCli(['queue', stalled, join(folder, 'none'), '--max-queued', '1']);
    expect(both.code).toBe(3);
    expect(both.stdout).toContain('ENOENT');
  });

  test.each([
    [[], 'is missing'],
    [[''], 'is needed'],
    [['70000'], 'a whole number from 1 to 65535'],
    [['/x', '--max-queued', '-1'], 'max-queued'],
    [['/x', '--max-queud', '1'], 'Did you mean --max-queued?'],
  ])('%j is refused with 2', async (words, hint) => {
    const { code, stdout, stderr } = await runCli(['queue', ...words]);
    expect(stderr).toContain(hint);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
