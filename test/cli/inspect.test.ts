/** `nearwire inspect`: against `ss`, behind a real nginx, as another user, in a sandbox, in a terminal. */
import { execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { listenQueue } from 'nearwire/tune';
import { CLI_MAIN, runCli, startCli } from '../support/cli.js';
import { until } from '../support/command-runs.js';
import {
  connectMany,
  depthsBySs,
  hasDiagnosis,
  otherServer,
  proceed,
  startProgram,
  stop,
} from '../support/listeners.js';
import { requireOrSkip } from '../support/requirements.js';
import { nextTurn, socketPath, temporaryDirectory } from '../support/sockets.js';

const nginx = requireOrSkip('nginx');
const ss = requireOrSkip('ss');
const python = requireOrSkip('python');
const script = requireOrSkip('script');
const refuseNetlink = fileURLToPath(new URL('../support/refuse-netlink.py', import.meta.url));
const isRoot = process.getuid?.() === 0;

interface Report {
  at: string;
  file: { path: string; mode: string; uid: number } | undefined;
  owners: { pid: number; name: string }[];
  hiddenProcesses: number;
  queue: { queued: number; backlog: number; highWater: number; full: boolean } | undefined;
  queueUnknown: string | undefined;
  waiting: { client: { pid: number; name: string }[]; connections: number }[];
  connections: { toServer?: number; toClient?: number; client: { pid: number }[] }[];
  error?: { code: string };
}

async function reportOf(...words: string[]): Promise<Report> {
  const { stdout, stderr } = await runCli(['inspect', '--json', ...words]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Report;
}

/** A listener with room for 6 that does not accept, and 7 connections in its queue. */
async function fullQueue(): Promise<{ path: string; server: ChildProcess }> {
  const path = socketPath();
  const server = await otherServer({ path, backlog: 6 });
  await stop(server);
  await connectMany({ path }, 7);
  return { path, server };
}

describe.skipIf(!hasDiagnosis)('one look', () => {
  test('shows file, owner, queue and who waits', async () => {
    const { path, server } = await fullQueue();
    chmodSync(path, 0o660);
    const report = await reportOf(path);
    expect(report).toMatchObject({
      name: path,
      file: { path, mode: '0660', uid: process.getuid?.() },
      queue: { queued: 7, backlog: 6, highWater: 7, full: true },
      connections: [],
    });
    expect(report.owners.map(({ pid }) => pid)).toEqual([server.pid]);
    expect(report.waiting).toEqual([{ client: [expect.objectContaining({ pid: process.pid })], connections: 7 }]);
    expect(new Date(report.at).getTime()).toBeLessThanOrEqual(Date.now());
    const { stdout, code } = await runCli(['inspect', path]);
    expect(code).toBe(0);
    expect(stdout).toContain('7 waiting, backlog 6, high water 7, FULL');
    expect(stdout).toContain(`[${String(server.pid)}]`);
    expect(stdout).toMatch(/, queued\s+x 7/);
  });

  test('exits with 1 when more wait than may', async () => {
    const { path } = await fullQueue();
    expect((await runCli(['inspect', path, '--max-queued', '6'])).code).toBe(1);
    expect((await runCli(['inspect', path, '--max-queued', '7'])).code).toBe(0);
  });

  test('shows the bytes that stand in each direction, of each connection', async () => {
    const path = socketPath();
    const code = `require('node:net').createServer({ pauseOnConnect: true }, (socket) => socket.write(Buffer.alloc(1234)))
      .listen(process.argv[1], () => console.log('true'))`;
    const server = startProgram([process.execPath, '-e', code, path]);
    await once(server.stdout ?? server, 'data');
    const clients = await connectMany({ path }, 3);
    clients.forEach((client, i) => {
      client.write(Buffer.alloc(100 * (i + 1)));
    });
    let report = await reportOf(path);
    while (report.connections.length < 3 || report.connections.some(({ toClient }) => !toClient)) {
      report = await reportOf(path);
    }
    const standing = report.connections.map(({ toServer, toClient }) => [toServer, toClient]);
    expect(standing.sort()).toEqual([100, 200, 300].map((bytes) => [bytes, 1234]));
    expect(report.connections.map(({ client }) => client[0]?.pid)).toEqual(Array(3).fill(process.pid));
    const { stdout } = await runCli(['inspect', path]);
    expect(stdout).toContain('600 B for the server, 3,702 B for clients');
    expect(stdout).toMatch(/300\s+1,234\n.*200\s+1,234\n.*100\s+1,234/);
  });

  test('finds a listener by a relative name, a link and an abstract name', async () => {
    const directory = temporaryDirectory();
    await otherServer({ path: 'rel.sock', backlog: 21 }, { cwd: directory });
    symlinkSync('rel.sock', join(directory, 'link.sock'));
    const report = await reportOf(join(directory, 'link.sock'));
    expect(report).toMatchObject({ boundAs: 'rel.sock', queue: { backlog: 21 } });
    expect(report.file?.path).toMatch(/rel\.sock$/);
    const name = `nearwire-cli-${String(process.pid)}`;
    await otherServer({ path: `\0${name}`, backlog: 22 });
    const abstract = await reportOf(`@${name}`);
    expect(abstract).toMatchObject({ queue: { backlog: 22 } });
    expect(abstract.file).toBeUndefined();
  });

  test('lets no name steer the terminal', async () => {
    const path = join(temporaryDirectory(), 'a\x1b[31mb.sock');
    await otherServer({ path });
    const { stdout } = await runCli(['inspect', path]);
    expect(stdout).not.toContain('\x1b[31m');
    expect(stdout).toContain('a\\x1b[31mb.sock');
  });

  test('exits with 3 where nobody listens, and says why', async () => {
    const path = socketPath();
    expect(await runCli(['inspect', path])).toMatchObject({ code: 3, stdout: '' });
    const server = await otherServer({ path });
    server.kill('SIGKILL');
    await once(server, 'exit');
    const { code, stderr } = await runCli(['inspect', path]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('left behind by a closed socket') as string,
    });
    const inJson = await reportOf(path);
    expect(inJson.error?.code).toBe('ERR_NEARWIRE_STALE_SOCKET');
  });
});

describe('words that make no sense exit 2', () => {
  test.each([
    [[], '<path|@name> is missing'],
    [[''], 'a path is needed'],
    [['/tmp/x', '--max-queued', 'many'], 'a whole number from 0'],
    [['/tmp/x', '--interval', '100'], 'require --watch'],
    [['/tmp/x', '--watch', '--interval', '1'], 'a whole number from 50'],
    [['/tmp/x', '--watch', '--count', '0'], 'a whole number from 1'],
    [['/tmp/x', '--wach'], 'Did you mean --watch?'],
    [['/tmp/x', '--watch', '--output', '/tmp/y'], 'cannot be combined with --watch'],
    [['/tmp/x', '--output', '/no/such/folder/y'], 'cannot write into'],
    [['/tmp/x', '/tmp/y'], "unexpected argument '/tmp/y'"],
  ])('%j', async (words, hint) => {
    const { code, stdout, stderr } = await runCli(['inspect', ...words]);
    expect(stderr).toContain(hint);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

test('without the addon it says what is missing, and exits with 4', async () => {
  const path = socketPath();
  await otherServer({ path });
  const env = { NEARWIRE_ADDON: join(dirname(path), 'none') };
  const { code, stderr, stdout } = await runCli(['inspect', path], env);
  expect(code).toBe(4);
  expect(`${stdout}${stderr}`).toContain('The native transport is not available');
});

describe.skipIf(!hasDiagnosis || python === undefined)('in a sandbox that refuses netlink', () => {
  test('shows what /proc has, says what it has not, and exits with 4', async () => {
    const path = socketPath();
    const server = await otherServer({ path });
    await connectMany({ path }, 2);
    const words = [refuseNetlink, String(constants.errno.EPERM), process.execPath, CLI_MAIN, 'inspect', '--json', path];
    const child = startProgram([python ?? '', ...words]);
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    const report = JSON.parse(stdout) as Report;
    expect(code).toBe(4);
    expect(report.queue).toBeUndefined();
    expect(report.queueUnknown).toContain('sock_diag EPERM');
    expect(report.owners.map(({ pid }) => pid)).toEqual([server.pid]);
  });
});

describe.skipIf(!hasDiagnosis || !isRoot)('for a user without privilege', () => {
  test("another user's queue is shown, and that its owner is not to be seen", async () => {
    const { path } = await fullQueue();
    chmodSync(dirname(path), 0o755);
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, CLI_MAIN, 'inspect'];
    // Where CI is set colours are on, terminal or not.
    const env = { ...process.env, NO_COLOR: '1' };
    const stdout = execFileSync('setpriv', [...asNobody, path], { encoding: 'utf8', env });
    expect(stdout).toContain('7 waiting, backlog 6');
    expect(stdout).toMatch(/owner\s+not visible: [\d,]+ processes of other users cannot be examined/);
    const report = JSON.parse(execFileSync('setpriv', [...asNobody, path, '--json'], { encoding: 'utf8' })) as Report;
    expect(report.owners).toEqual([]);
    expect(report.hiddenProcesses).toBeGreaterThan(0);
  });
});

describe.skipIf(!hasDiagnosis || nginx === undefined || ss === undefined)('behind nginx', () => {
  test('the queue of an upstream that has stopped is what ss shows, and nginx is who waits', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'app.sock');
    const server = await otherServer({ path, backlog: 6 });
    await stop(server);
    const front = await startNginx(directory, path);
    const [served, refused] = [7, 3];
    const failures: Promise<number>[] = [];
    for (let i = 0; i < served + refused; i++) {
      failures.push(statusOf(front));
      if (i < served) while (listenQueue(path).queued <= i) await nextTurn();
    }
    // What does not fit is a 502 at once.
    let gatewayErrors = 0;
    for (const status of failures.slice(served)) if ((await status) === 502) gatewayErrors++;
    expect(gatewayErrors).toBe(refused);
    const queue = { queued: served, backlog: 6 };
    expect(listenQueue(path)).toEqual({ ...queue, highWater: served });
    expect(depthsBySs('-xlnH', path)).toEqual([queue]);
    const report = await reportOf(path);
    expect(report.queue).toEqual({ ...queue, highWater: served, full: true });
    const [waiting, ...others] = report.waiting;
    expect(waiting).toMatchObject({ connections: served, client: [{ name: 'nginx' }] });
    expect(others).toEqual([]);
    expect(depthsBySs('-xlnH', path)).toEqual([queue]);
  });
});

/** nginx with an instance of its own in this directory; answers the path that it listens at. */
async function startNginx(directory: string, upstream: string): Promise<string> {
  const front = join(directory, 'front.sock');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/t;`,
  );
  const config = join(directory, 'nginx.conf');
  writeFileSync(
    config,
    `${isRoot ? 'user root;' : ''} daemon off; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
    events { worker_connections 64; }
    http { access_log off; ${temporary.join(' ')}
      server { listen unix:${front}; location / { proxy_pass http://unix:${upstream}; } } }`,
  );
  const words = ['-c', config, '-p', directory, '-e', `${directory}/error.log`];
  startProgram([nginx ?? '', ...words]);
  await until(() => listens(front));
  return front;
}

function listens(path: string): boolean {
  try {
    return listenQueue(path).backlog > 0;
  } catch {
    return false;
  }
}

/** Negative: no answer before the test was over. */
function statusOf(socketPath: string): Promise<number> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', () => {
      resolve(-1);
    });
  });
}

describe.skipIf(!hasDiagnosis)('--watch', () => {
  test('writes a line for each look where there is no terminal', async () => {
    const { path } = await fullQueue();
    const { code, stdout } = await runCli(['inspect', path, '--watch', '--count', '3', '--interval', '50']);
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\S+Z queued=7 backlog=6 high-water=7 connections=0 .* FULL$/);
    }
    const watched = ['inspect', path, '--watch', '--count', '1', '--max-queued', '6'];
    expect((await runCli(watched)).code).toBe(1);
  });

  test('keeps the high water when the queue is empty again, and sees a server end', async () => {
    const { path, server } = await fullQueue();
    const { child, result } = startCli(['inspect', path, '--watch', '--json', '--interval', '50']);
    const reports: Report[] = [];
    let rest = '';
    child.stdout?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      reports.push(...lines.map((line) => JSON.parse(line) as Report));
    });
    const last = async (is: (report: Report) => boolean): Promise<Report> => {
      for (;;) {
        const report = reports.at(-1);
        if (report !== undefined && is(report)) return report;
        await nextTurn();
      }
    };
    expect(await last(({ queue }) => queue?.queued === 7)).toMatchObject({ queue: { highWater: 7 } });
    proceed(server);
    const drained = await last(({ queue }) => queue?.queued === 0);
    expect(drained).toMatchObject({ queue: { queued: 0, highWater: 7, full: false } });
    server.kill('SIGKILL');
    await last(({ error }) => error?.code === 'ERR_NEARWIRE_STALE_SOCKET');
    child.kill('SIGINT');
    expect((await result).code).toBe(130);
  });

  test('ends when nobody reads it any more', async () => {
    const { path } = await fullQueue();
    const { child, result } = startCli(['inspect', path, '--watch', '--interval', '50']);
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    expect(await result).toMatchObject({ code: 0, stderr: '' });
  });
});

describe.skipIf(!hasDiagnosis || script === undefined)('--watch in a terminal', () => {
  const [enter, leave] = ['\x1b[?1049h\x1b[?25l', '\x1b[?25h\x1b[?1049l'];

  /** Runs it in a pseudo terminal of so many columns and rows; what is written to its stdin is typed. */
  function startInTerminal(path: string, size = 'cols 70 rows 20'): ChildProcess {
    const command = `stty ${size}; exec '${process.execPath}' '${CLI_MAIN}' inspect '${path}' --watch --interval 50`;
    return startProgram([script ?? '', '-qefc', command, '/dev/null'], { env: { ...process.env, TERM: 'xterm' } });
  }

  test('draws, and leaves the terminal as it was at Ctrl-C', async () => {
    const { path, server } = await fullQueue();
    const child = startInTerminal(path);
    let screen = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (screen += chunk));
    const pictures = (): string[] => screen.split('\x1b[H').slice(1);
    await until(() => pictures().length >= 3);
    expect(screen).toContain(enter);
    const picture = pictures()[1] ?? '';
    for (const word of ['7 waiting, backlog 6, high water 7, FULL', '████', 'history', ', queued']) {
      expect(picture).toContain(word);
    }
    proceed(server);
    await until(() => /0 waiting, backlog 6, high water 7/.test(pictures().at(-2) ?? ''));
    // The full samples are high in the history, the empty ones low.
    expect(pictures().at(-2)).toMatch(/history.*█+_+/);
    child.stdin?.write('\x03');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    const after = screen.slice(screen.lastIndexOf(leave));
    expect(after).toMatch(/\d+ samples, high water 7/);
    expect(screen.indexOf(enter)).toBe(screen.lastIndexOf(enter));
  });

  test('never writes a line that is wider than the terminal', async () => {
    const { path } = await fullQueue();
    const child = startInTerminal(path, 'cols 24 rows 9');
    let screen = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (screen += chunk));
    await until(() => screen.split('\x1b[H').length >= 4);
    child.stdin?.write('\x03');
    await once(child, 'close');
    const picture = screen.split('\x1b[H')[2] ?? '';
    const lines = stripVTControlCharacters(picture).replaceAll('\r', '').split('\n');
    expect(lines.length).toBeLessThanOrEqual(9);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(24);
  });
});
