/** `nearwire doctor`: each finding is provoked for real, and what it says of another user is tried as that user. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { connect } from 'nearwire';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/doctor/examine.js';
import type { Finding } from '../../src/doctor/finding.js';
import { heard, startChild } from '../support/children.js';
import { runCli } from '../support/cli.js';
import { fullServer, stoppedServer } from '../support/full-queue.js';
import { startFront } from '../support/nginx.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, temporaryDirectory } from '../support/sockets.js';

const nginx = requireOrSkip('nginx');
const addon = requireOrSkip('addon');
const onLinux = describe.skipIf(process.platform !== 'linux');
const { accountOf } = (await import(
  new URL('../../dist/src/doctor/account.js', import.meta.url).href
)) as typeof import('../../src/doctor/account.js');
const USER = 'nobody';
const EXITS = { ok: 0, note: 0, warning: 1, problem: 1 };

let directory = '';
let path = '';

beforeEach(() => {
  directory = temporaryDirectory();
  // Made for its owner alone.
  chmodSync(directory, 0o755);
  path = join(directory, 'app.sock');
});

async function diagnose(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runCli(['doctor', '--json', '--user', USER, ...words], env);
  expect(stderr).toBe('');
  const diagnosis = JSON.parse(stdout) as Diagnosis;
  expect(code).toBe(EXITS[diagnosis.worst]);
  return diagnosis;
}

/** What is said of the path. */
async function ofPath(target: string): Promise<Finding[]> {
  const { groups } = await diagnose([target]);
  return groups.at(-1)?.findings ?? [];
}

function named(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((finding) => finding.check === check);
  if (found === undefined) throw new Error(`no ${check} among ${findings.map((finding) => finding.check).join(', ')}`);
  return found;
}

async function listening(at: string, mode = 0o777): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).destroy()).listen(at);
  cleanup(() => server.close());
  await once(server, 'listening');
  if (!at.startsWith('\0')) chmodSync(at, mode);
}

/** The error with which the user's own connect fails, or `connected`. */
function asUser(target: string): string {
  const { uid = 0, gids } = accountOf(USER) ?? {};
  const program = `require('net').connect(process.argv[1], () => { console.log('connected'); process.exit(); })
    .on('error', (error) => console.log(error.code));`;
  const { stdout } = spawnSync(process.execPath, ['-e', program, target], {
    encoding: 'utf8',
    cwd: '/',
    ...(process.getuid?.() === 0 && { uid, gid: [...(gids ?? [0])][0] }),
  });
  return stdout.trim();
}

describe('nearwire doctor', () => {
  it.skipIf(addon === undefined)('looks at the host', async () => {
    const { groups } = await diagnose([]);
    expect(groups.map(({ title }) => title)).toEqual(['transport', 'limits', 'sandbox and calls', 'container']);
    const all = groups.flatMap(({ findings }) => findings);
    expect(named(all, 'addon')).toMatchObject({ level: 'ok' });
    expect(named(all, 'node').message).toContain(process.versions.node);
    if (process.platform !== 'linux') return;
    expect(named(all, 'limits.somaxconn').message).toMatch(/somaxconn is \d+/);
    expect(named(all, 'limits.nofile').message).toMatch(/hard limit (\d+|Infinity)/);
    expect(named(all, 'calls').message).toContain('sendfile');
  });

  it('says why the addon is not loaded', async () => {
    const missing = { NEARWIRE_ADDON: '/nowhere/nearwire.node', NEARWIRE_TRANSPORT: 'auto' };
    const auto = await diagnose([], missing);
    const finding = named(auto.groups[0]?.findings ?? [], 'addon');
    expect(finding).toMatchObject({
      level: 'warning',
      remedies: ['unset NEARWIRE_ADDON  # it names /nowhere/nearwire.node'],
    });
    expect(finding.message).toContain('/nowhere/nearwire.node');
    const native = await diagnose([], { ...missing, NEARWIRE_TRANSPORT: 'native' });
    expect(named(native.groups[0]?.findings ?? [], 'addon').level).toBe('problem');
    const wrong = await diagnose([], { NEARWIRE_TRANSPORT: 'fast' });
    expect(named(wrong.groups[0]?.findings ?? [], 'transport.choice').level).toBe('problem');
  });

  it('tells of a wrong command line', async () => {
    for (const words of [['--user', 'no-such-user'], [''], ['--nginx-log', '/nowhere/error.log'], ['--unknown']]) {
      const { code, stdout } = await runCli(['doctor', ...words]);
      expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: '' });
    }
  });

  it('prints findings with their fixes', async () => {
    const { code, stdout } = await runCli(['doctor', '--user', USER, path], { NO_COLOR: '1' });
    expect(code).toBe(1);
    expect(stdout).toContain(`  problem  there is no ${path}\n           nginx logs: 2: No such file or directory\n`);
    expect(stdout).toContain('           fix: ss -xlp');
    expect(stdout).toContain(`nginx responds with 502: there is no ${path}`);
  });
});

const unshare = process.platform === 'linux' ? requireOrSkip('unshare') : undefined;

describe.skipIf(unshare === undefined)('fronts elsewhere', () => {
  /** A process of the name `nginx`, in namespaces of its own. */
  async function startElsewhere(words: readonly string[], before: string): Promise<number> {
    const program = join(directory, 'nginx');
    copyFileSync('/bin/sleep', program);
    chmodSync(program, 0o755);
    const child = spawn(unshare ?? '', [...words, 'sh', '-c', `${before} exec ${program} 1000`], { stdio: 'ignore' });
    const gone = once(child, 'exit');
    cleanup(async () => {
      child.kill('SIGKILL');
      await gone;
    });
    const pid = String(child.pid);
    await expect.poll(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), { timeout: 10_000 }).toBe('nginx');
    return child.pid ?? 0;
  }

  it('that see other files are told of', async () => {
    const inside = join(directory, 'run');
    mkdirSync(inside);
    const at = join(inside, 'app.sock');
    await listening(at);
    const pid = await startElsewhere(['-m'], `mount -t tmpfs none ${inside} &&`);
    const finding = (await ofPath(at)).find(({ message }) => message.includes(`process ${String(pid)})`));
    expect(finding).toMatchObject({ check: 'front.mount-namespace', level: 'warning' });
    await listening(path);
    expect((await ofPath(path)).filter(({ message }) => message.includes(`process ${String(pid)})`))).toEqual([]);
  });

  it('that have another network are told of for abstract names', async () => {
    const pid = await startElsewhere(['-n'], '');
    const name = `@nearwire-doctor-elsewhere-${String(process.pid)}`;
    const finding = (await ofPath(name)).find(({ message }) => message.includes(`process ${String(pid)})`));
    expect(finding).toMatchObject({ check: 'front.network-namespace', level: 'warning' });
  });
});

onLinux('nearwire doctor PATH', () => {
  it('has nothing to say against a server that all may reach', async () => {
    await listening(path);
    for (const way of [path, `unix:${path}`, `unix:${path}:/uri`]) {
      const findings = await ofPath(way);
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
      expect(named(findings, 'listener.connect').level).toBe('ok');
    }
    expect(asUser(path)).toBe('connected');
  });

  it('finds a missing file and a missing directory', async () => {
    expect(named(await ofPath(path), 'path.missing')).toMatchObject({ nginx: '2: No such file or directory' });
    expect(named(await ofPath(join(directory, 'no', 'app.sock')), 'path.missing-directory').message).toContain('/no');
  });

  it('finds a directory that the front may not pass', async () => {
    const closed = join(directory, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const inside = join(closed, 'app.sock');
    await listening(inside);
    const finding = named(await ofPath(inside), 'path.directory-permission');
    expect(finding).toMatchObject({ level: 'problem', nginx: '13: Permission denied' });
    expect(finding.remedies).toContain(`chmod o+x ${JSON.stringify(closed)}`);
    if (process.getuid?.() === 0) expect(asUser(inside)).toBe('EACCES');
    spawnSync('chmod', ['o+x', closed]);
    expect((await ofPath(inside)).filter(({ level }) => level === 'problem')).toEqual([]);
    expect(asUser(inside)).toBe('connected');
  });

  it('finds a socket that the front may not write to', async () => {
    await listening(path, 0o755);
    const finding = named(await ofPath(path), 'path.socket-permission');
    expect(finding).toMatchObject({ level: 'problem', nginx: '13: Permission denied' });
    if (process.getuid?.() === 0) expect(asUser(path)).toBe('EACCES');
    const [own] = (await diagnose(['--user', String(process.getuid?.()), path])).groups.slice(-1);
    expect(own?.findings.filter(({ level }) => level === 'problem')).toEqual([]);
  });

  it('finds a stale file', async () => {
    const child = startChild('node:net', `createServer().listen(${JSON.stringify(path)}, () => say('listening'));`);
    await heard(child);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    chmodSync(path, 0o777);
    expect(named(await ofPath(path), 'listener.stale')).toMatchObject({
      level: 'problem',
      nginx: '111: Connection refused',
    });
  });

  it('finds a file that is no socket', async () => {
    writeFileSync(path, '');
    expect(named(await ofPath(path), 'path.not-socket').message).toContain('a plain file');
  });

  it('finds a path that is too long', async () => {
    const long = join(directory, 'x'.repeat(120));
    const findings = await ofPath(long);
    expect(findings.map(({ check }) => check)).toEqual(['path.overlong']);
    expect(named(findings, 'path.overlong').remedies?.[0]).toContain(`ln -s ${JSON.stringify(directory)}`);
    const fits = join(directory, 'x'.repeat(107 - directory.length - 1));
    await listening(fits);
    expect((await ofPath(fits)).filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  it('tells of relative paths, links and abstract names', async () => {
    await listening(path);
    const link = join(directory, 'link.sock');
    symlinkSync('app.sock', link);
    const linked = await ofPath(link);
    expect(named(linked, 'path.symlink')).toMatchObject({ level: 'note' });
    expect(named(linked, 'listener.connect').level).toBe('ok');
    symlinkSync('loop.sock', join(directory, 'loop.sock'));
    expect(named(await ofPath(join(directory, 'loop.sock')), 'path.symlink-loop').level).toBe('problem');
    expect(named(await ofPath('somewhere/app.sock'), 'path.relative').level).toBe('warning');
    const name = `nearwire-doctor-${String(process.pid)}`;
    await listening(`\0${name}`);
    const abstract = await ofPath(`@${name}`);
    expect(named(abstract, 'path.abstract').level).toBe('note');
    expect(abstract.some(({ level }) => level === 'problem')).toBe(false);
    expect(named(await ofPath(`@${name}-absent`), 'listener.none').level).toBe('problem');
  });

  it.skipIf(addon === undefined)('finds a full queue, and the stopped process that it is of', async () => {
    const server = await fullServer();
    chmodSync(dirname(server.path), 0o755);
    chmodSync(server.path, 0o777);
    const finding = named(await ofPath(server.path), 'listener.full');
    expect(finding).toMatchObject({ level: 'problem', nginx: '11: Resource temporarily unavailable' });
    expect(finding.message).toContain('2 connections wait, backlog 1');
    expect(finding.message).toContain(`process ${String(server.child.pid)} is stopped`);
    expect(finding.remedies).toEqual([`kill -CONT ${String(server.child.pid)}`]);
    expect(asUser(server.path)).toBe('EAGAIN');
  });

  it('finds a full queue by a connect alone where the addon is not there', async () => {
    const server = await fullServer();
    const { groups } = await diagnose([server.path], { NEARWIRE_ADDON: '/nowhere' });
    const findings = groups.at(-1)?.findings ?? [];
    expect(named(findings, 'listener.full').message).toContain('refused with EAGAIN');
    expect(named(findings, 'listener.queue').level).toBe('note');
  });

  it.skipIf(addon === undefined)('finds a stopped process before its queue is full', async () => {
    const server = await stoppedServer(50);
    const finding = named(await ofPath(server.path), 'listener.stopped');
    expect(finding.remedies).toEqual([`kill -CONT ${String(server.child.pid)}`]);
  });

  it.skipIf(addon === undefined)('notes a short backlog', async () => {
    const server = createServer().listen({ path, backlog: 7 });
    cleanup(() => server.close());
    await once(server, 'listening');
    expect(named(await ofPath(path), 'listener.backlog').message).toContain('backlog 7');
  });
});

describe.skipIf(process.platform !== 'linux' || nginx === undefined)("nginx's 502s", () => {
  it('are told by their causes, from its log and from the path', { timeout: 60_000 }, async () => {
    const server = await fullServer(1, `socket.once('data', () => socket.end())`);
    chmodSync(dirname(server.path), 0o755);
    chmodSync(server.path, 0o777);
    const front = await startFront(nginx ?? '', server.path, USER);
    const words = [server.path, '--nginx-log', front.errorLog];
    const fresh = await diagnose(words);
    expect(named(fresh.groups.at(-1)?.findings ?? [], 'nginx.log').level).toBe('ok');

    expect(await front.status()).toBe(502);
    expect(await front.status()).toBe(502);
    const full = await diagnose(words);
    expect(full.cause?.nginx).toBe('11: Resource temporarily unavailable');
    expect(named(full.groups.at(-1)?.findings ?? [], 'nginx.full-queue').message).toContain('2 times');

    // Asked about a user who may not connect, it holds on to what nginx has logged.
    chmodSync(server.path, 0o770);
    const other = await diagnose(words);
    expect(named(other.groups.at(-2)?.findings ?? [], 'path.socket-permission').level).toBe('problem');
    expect(other.cause?.nginx).toBe('11: Resource temporarily unavailable');
    expect(other.causeIsUnlogged).toBeUndefined();
    chmodSync(server.path, 0o777);

    server.goOn();
    // It has room again when one has been in that waits for it.
    const client = connect({ path: server.path }, () => client.end('x'));
    await once(client.resume(), 'end');
    expect(await front.status()).toBe(502);

    // What would be in the way of that user now is none of what the log tells of.
    chmodSync(server.path, 0o770);
    const doubtful = await diagnose(words);
    expect(doubtful).toMatchObject({ cause: { nginx: '13: Permission denied' }, causeIsUnlogged: true });
    const { stdout } = await runCli(['doctor', '--user', USER, ...words], { NO_COLOR: '1' });
    expect(stdout).toMatch(
      /nginx responds with 502: .* \(its log has no such failure: is --user the one that it runs as\?\)/,
    );
    chmodSync(server.path, 0o777);

    if (process.getuid?.() === 0) {
      chmodSync(server.path, 0o700);
      expect(await front.status()).toBe(502);
      expect((await diagnose(words)).cause?.nginx).toBe('13: Permission denied');
      chmodSync(server.path, 0o777);
    }
    const gone = once(server.child, 'exit');
    server.child.kill('SIGKILL');
    await gone;
    expect(await front.status()).toBe(502);
    expect((await diagnose(words)).cause?.nginx).toBe('111: Connection refused');
    rmSync(server.path);
    expect(await front.status()).toBe(502);
    const all = await diagnose(words);
    expect(all.cause?.nginx).toBe('2: No such file or directory');
    const causes = all.groups.at(-1)?.findings.map(({ check }) => check) ?? [];
    const expected = ['nginx.full-queue', 'nginx.premature-close', 'nginx.refused', 'nginx.missing'];
    if (process.getuid?.() === 0) expected.push('nginx.permission');
    expect(causes.sort()).toEqual(expected.sort());
    const others = await diagnose([path, '--nginx-log', front.errorLog]);
    expect(named(others.groups.at(-1)?.findings ?? [], 'nginx.log').level).toBe('ok');
  });
});
