/** `nearwire bench --attach`: a server that runs already is measured, whatever it answers, or it is said why not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { benchOnce, cellNames, expectRefusal } from '../support/bench-runs.js';
import { CLI_MAIN, runCli } from '../support/cli.js';
import { folderForRuns } from '../support/command-runs.js';
import { runNginx } from '../support/nginx.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, listen, socketPath, temporaryDirectory } from '../support/sockets.js';

const floor = requireOrSkip('floor');
const nginx = requireOrSkip('nginx');

const runs = folderForRuns();

/** A socket file whose server has ended. */
async function staleSocket(): Promise<string> {
  const path = socketPath();
  const code = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code, path]), 'exit');
  return path;
}

/** Serves in a process of its own until the test is over. */
async function serve(handler: string, path = socketPath()): Promise<{ path: string; pid: number }> {
  const code = `require('http').createServer(${handler}).listen(process.argv[1], () => console.log('listens'))`;
  const child = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  cleanup(async () => {
    child.kill();
    await gone;
  });
  await once(child.stdout, 'data');
  return { path, pid: child.pid ?? NaN };
}

describe('a target that can not be measured is told at once, with what was tried', () => {
  const file = (): string => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, '');
    return path;
  };

  test.each([
    { what: 'no file', target: () => '/no/such/app.sock', reason: 'there is no such socket file', code: 'ENOENT' },
    {
      what: 'a stale socket',
      target: staleSocket,
      reason: 'the server has ended and left its file',
      code: 'ECONNREFUSED',
    },
    { what: 'a file that is no socket', target: file, reason: 'this file is no socket', code: 'ECONNREFUSED' },
    { what: 'a port without a listener', target: () => '127.0.0.1:1', reason: 'nobody listens', code: 'ECONNREFUSED' },
    {
      what: 'a name without an address',
      target: () => 'no-such-host.invalid:80',
      reason: 'no IPv4 address',
      code: 'ENOTFOUND|EAI_AGAIN',
    },
    {
      what: 'a path that is too long for a socket',
      target: () => `/tmp/${'x'.repeat(200)}`,
      reason: /a socket's path has up to 10[37] bytes/,
    },
  ])('$what', async ({ target, reason, code }) => {
    const tried = code === undefined ? [] : [new RegExp(`tried: .*(?:${code})`)];
    await expectRefusal(['--attach', await target()], reason, ...tried);
  });

  test.skipIf(process.getuid?.() !== 0)('a socket that this user may not write', async () => {
    const { path } = await serve('(_, response) => response.end()');
    chmodSync(path, 0o600);
    chmodSync(join(path, '..'), 0o755);
    const child = spawn(process.execPath, [CLI_MAIN, 'bench', '--attach', path], {
      ...{ uid: 65534, gid: 65534, stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' },
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const [exit] = (await once(child, 'close')) as [number];
    expect(text).toContain('this user may not connect');
    expect(text).toContain('EACCES');
    expect(exit).toBe(3);
  });

  test.each([
    { what: 'speaks no HTTP', reply: 'hello\r\n', reason: 'no HTTP/1.1' },
    { what: 'closes without an answer', reply: '', reason: 'socket hang up' },
  ])('a server that $what', async ({ reply, reason }) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined).on('data', () => socket.end(reply));
    });
    const { path = '' } = await listen(server, 'unix');
    await expectRefusal(['--attach', path, '--path', '/x'], reason, 'tried: GET /x');
  });

  test('a server whose answer does not end', async () => {
    const { path } = await serve(`(_, response) => setInterval(() => response.write('more'), 100)`);
    await expectRefusal(['--attach', path], 'no whole answer within 5 s (tried: GET /)');
  }, 15_000);

  test('a process that there is not', async () => {
    const { path } = await serve('(_, response) => response.end()');
    await expectRefusal(['--attach', path, '--pid', '2147483647'], '--pid 2147483647: there is no such process');
  });
});

describe.skipIf(floor === undefined)('a server that runs', () => {
  const measures = ['rate', 'p50', 'p99'];
  const all = (cases: readonly string[], subject: string, ...more: string[]): Set<string> =>
    new Set(cases.flatMap((name) => [...measures, ...more].map((measure) => `${name} ${subject} ${measure}`)));

  test('is measured alone, by the requests that it is asked for, whatever it answers', async () => {
    const { path, pid } = await serve(
      `(request, response) => response.writeHead(request.url === '/a?b' ? 404 : 500).end('no such page')`,
    );
    const run = await benchOnce(runs, ['--attach', path, '--path', '/a?b']);
    expect(run.stderr).toContain('GET /a?b is answered with status 404 and 12 bytes');
    const linux = process.platform === 'linux';
    if (linux) expect(run.stderr).toContain(`its CPU is that of process ${String(pid)}\n`);
    expect(cellNames(run)).toEqual(all(['http', 'http-close'], 'attached', ...(linux ? ['cpu'] : [])));
    expect(run.json.brought).toEqual([{ name: 'attached', title: `the server at ${path}` }]);
    expect(run.stdout).toContain(`attached: the server at ${path}`);
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  });

  test('is measured over TCP, beside the subjects that are named, in the same rounds', async () => {
    const server = http.createServer((_, response) => response.end('hello'));
    const { port } = await listen(server, 'tcp');
    const target = `localhost:${String(port)}`;
    const run = await benchOnce(runs, ['--attach', target, '--cases', 'http', '--subjects', 'node:net']);
    expect(new Set(run.json.cells.map(({ family }) => family))).toEqual(new Set(['tcp']));
    const subjects = run.json.ratios.map(({ subject, baseline }) => `${subject} to ${baseline}`);
    expect(new Set(subjects)).toEqual(new Set(['attached to node:net']));
    if (process.platform === 'linux') expect(run.stderr).toContain(`its CPU is that of process ${String(process.pid)}`);
  });

  test('that echoes has the cases of messages, with plain C at the other end', async () => {
    const server = net.createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    const { path = '' } = await listen(server, 'unix');
    const run = await benchOnce(runs, ['--attach', path, '--cases', 'rtt,pipeline,fanin,churn']);
    expect(new Set(run.json.cells.map((cell) => cell.case))).toEqual(new Set(['rtt', 'pipeline', 'fanin', 'churn']));
    for (const { median } of run.json.cells) expect(median).toBeGreaterThan(0);
  });

  test('has the CPU of the process that is named', async () => {
    const { path } = await serve('(_, response) => response.end()');
    const idle = await serve('(_, response) => response.end()');
    const words = ['--attach', path, '--cases', 'http', '--pid', String(idle.pid)];
    const run = await benchOnce(runs, words);
    const cpu = run.json.cells.find(({ measure }) => measure === 'cpu');
    expect(run.stderr).toContain(`its CPU is that of process ${String(idle.pid)}`);
    // Of a request, and it has none.
    expect(cpu?.median).toBeLessThan(1);
  });

  test('and whose answers differ fails, with both told', async () => {
    const { path } = await serve(
      `(() => { let count = 0; return (_, response) => response.end('x'.repeat(count++ < 100 ? 5 : 7)); })()`,
    );
    const words = ['bench', '--quick', '--rounds', '1', '--attach', path, '--cases', 'http'];
    const { code, stdout } = await runCli(words, { TMPDIR: runs.path });
    expect(stdout).toContain('an answer with status 200 and a body of 7 bytes, where 200 and 5 were due');
    expect(code).toBe(1);
  });

  test('can not do all cases', async () => {
    const { path } = await serve('(_, response) => response.end()');
    const { code, stderr } = await runCli(['bench', '--attach', path, '--cases', 'file']);
    expect(stderr).toContain('these subjects do not support these cases');
    expect(code).toBe(2);
  });

  test.skipIf(nginx === undefined || process.platform !== 'linux')('is an nginx, with its workers', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'front.sock');
    await runNginx(nginx ?? '', directory, 'root', [`server { listen unix:${path}; return 200 "hello\\n"; }`]);
    const run = await benchOnce(runs, ['--attach', path]);
    expect(run.stderr).toMatch(/its CPU is that of processes \d+, \d+\n/);
    expect(cellNames(run)).toEqual(all(['http', 'http-close'], 'attached', 'cpu'));
    const cpu = run.json.cells.filter(({ measure }) => measure === 'cpu').map(({ median }) => median);
    for (const microseconds of cpu) expect(microseconds).toBeGreaterThan(0);
  });
});
