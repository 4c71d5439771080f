/** What the doctor makes of hosts that this one is not: their files under /proc and /sys, and refused calls. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/doctor/examine.js';
import { hasDiagnosis } from '../support/listeners.js';
import { requireOrSkip } from '../support/requirements.js';

const built = (file: string): string => new URL(`../../dist/src/${file}.js`, import.meta.url).href;
const { checkContainer, containerLimits } = (await import(
  built('doctor/container')
)) as typeof import('../../src/doctor/container.js');
const { callFindings, checkSandbox } = (await import(
  built('doctor/sandbox')
)) as typeof import('../../src/doctor/sandbox.js');
const { checkLimits, openFileLimits } = (await import(
  built('doctor/limits')
)) as typeof import('../../src/doctor/limits.js');
const { accountOf, allows, permissionFixes } = (await import(
  built('doctor/account')
)) as typeof import('../../src/doctor/account.js');

const main = fileURLToPath(built('cli/main'));
const strace = requireOrSkip('strace');

const files =
  (contents: Record<string, string>) =>
  (path: string): string | undefined =>
    contents[path];

describe('limits', () => {
  it('that are too low are told with a command', () => {
    const found = checkLimits(
      files({
        '/proc/sys/net/core/somaxconn': '128',
        '/proc/sys/net/core/wmem_max': '65536',
        '/proc/sys/net/core/rmem_max': '212992',
        '/proc/sys/net/unix/max_dgram_qlen': '1',
      }),
      openFileLimits('Max open files            256                  1024                 files     \n', 20),
    );
    expect(found.map(({ check, level }) => `${check} ${level}`)).toEqual([
      'limits.somaxconn warning',
      'limits.wmem_max warning',
      'limits.rmem_max ok',
      'limits.max_dgram_qlen note',
      'limits.nofile warning',
    ]);
    for (const { level, remedies } of found) expect(remedies === undefined).toBe(level === 'ok');
  });

  it('that can not be read are not told of', () => {
    expect(checkLimits(files({}), undefined)).toEqual([]);
    expect(openFileLimits('', undefined)).toBeUndefined();
    expect(openFileLimits('Max open files  unlimited  unlimited  files', 3)?.hard).toBe(Infinity);
  });
});

describe('containers', () => {
  it('of version 2: the least of the group and those above it', () => {
    const read = files({
      '/proc/self/cgroup': '0::/system.slice/app.service',
      '/sys/fs/cgroup/system.slice/app.service/memory.max': 'max',
      '/sys/fs/cgroup/system.slice/app.service/memory.current': '1000000000',
      '/sys/fs/cgroup/system.slice/memory.max': '1073741824',
      '/sys/fs/cgroup/system.slice/app.service/cpu.max': '50000 100000',
      '/sys/fs/cgroup/system.slice/cpu.max': 'max 100000',
      '/sys/fs/cgroup/system.slice/app.service/pids.max': '32',
    });
    expect(containerLimits(read)).toEqual({ memory: 2 ** 30, memoryUsed: 1e9, cpu: 0.5, processes: 32 });
    expect(checkContainer(read).map(({ check, level }) => `${check} ${level}`)).toEqual([
      'container.memory warning',
      'container.cpu note',
      'container.pids warning',
    ]);
  });

  it('of version 1', () => {
    const read = files({
      '/proc/self/cgroup': '5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n3:pids:/docker/1\n1:name=systemd:/\n0::/',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '2147483648',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1048576',
      '/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/pids/pids.max': 'max',
    });
    expect(containerLimits(read)).toEqual({
      memory: 2 ** 31,
      memoryUsed: 2 ** 20,
      cpu: undefined,
      processes: undefined,
    });
  });

  it('without limits', () => {
    expect(checkContainer(files({})).map(({ level }) => level)).toEqual(['ok']);
  });
});

describe('sandboxes', () => {
  it('are known by what /proc says', () => {
    const version = 'Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016';
    const read = files({ '/proc/version': version, '/proc/self/status': 'Name:\tnode\nSeccomp:\t2\n' });
    expect(checkSandbox(read).map(({ check }) => check)).toEqual(['sandbox.gvisor', 'sandbox.seccomp']);
    const plain = files({ '/proc/version': 'Linux version 6.12.1 (gcc 14)', '/proc/self/status': 'Seccomp:\t0\n' });
    expect(checkSandbox(plain)).toEqual([]);
  });

  it('that lack what other platforms lack as well are no fault there', () => {
    const trials = [
      ['socket', 0],
      ['sendfile', -38],
    ] as const;
    if (process.platform !== 'linux') return;
    expect(callFindings(trials, 'linux')[0]).toMatchObject({ check: 'calls.sendfile', level: 'warning' });
    expect(callFindings(trials, 'darwin')[0]).toMatchObject({ check: 'calls.sendfile', level: 'note' });
    expect(callFindings([['bind', -13]], 'linux')[0]).toMatchObject({
      level: 'problem',
      message: 'bind fails with EACCES',
    });
  });

  // The portable build of the addon makes other calls.
  it.skipIf(strace === undefined || !hasDiagnosis).each([
    ['sendfile:error=EPERM', 'calls.sendfile', 'warning'],
    ['accept4:error=EPERM', 'calls.accept', 'problem'],
    ['memfd_create:signal=SIGSYS', 'calls', 'problem'],
  ])('are found by trying the calls: %s', (injected, check, level) => {
    const call = injected.slice(0, injected.indexOf(':'));
    const words = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${injected}`];
    const command = [process.execPath, main, 'doctor', '--json'];
    const { stdout, stderr } = spawnSync(strace ?? '', [...words, ...command], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const all = (JSON.parse(stdout) as Diagnosis).groups.flatMap(({ findings }) => findings);
    const found = all.find((finding) => finding.check === check);
    expect(found).toMatchObject({ check, level });
    expect(found?.remedies?.[0]).toContain('seccomp profile');
  });
});

describe('file modes', () => {
  const read = files({
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/false\napp:x:1000:1000::/:/bin/sh',
    '/etc/group': 'root:x:0:\nweb:x:33:\napp:x:1000:\nsockets:x:77:app,web',
  });
  const web = accountOf('web', read);

  it('are read as the kernel reads them', () => {
    if (web === undefined) throw new Error('no account');
    expect([...web.gids]).toEqual([33, 77]);
    expect(accountOf('33', read)?.name).toBe('web');
    expect(accountOf('none', read)).toBeUndefined();
    const write = 2;
    expect(allows(web, { uid: 1000, gid: 1000, mode: 0o775 }, write)).toBe(false);
    expect(allows(web, { uid: 1000, gid: 77, mode: 0o770 }, write)).toBe(true);
    // The first standing that fits is the one that counts.
    expect(allows(web, { uid: 33, gid: 77, mode: 0o077 }, write)).toBe(false);
    expect(allows(web, { uid: 1000, gid: 77, mode: 0o707 }, write)).toBe(false);
    const root = accountOf('root', read);
    expect(root !== undefined && allows(root, { uid: 1000, gid: 77, mode: 0 }, write)).toBe(true);
  });

  it('are mended with the least that others gain', () => {
    if (web === undefined) throw new Error('no account');
    const fixes = permissionFixes(web, '/run/app.sock', { uid: 1000, gid: 1000, mode: 0o770 }, 'w');
    expect(fixes[0]).toMatch(/^usermod -aG \S+ web/);
    expect(fixes.at(-1)).toBe('chmod o+w "/run/app.sock"');
    expect(permissionFixes(web, '/a', { uid: 33, gid: 1, mode: 0o077 }, 'x')).toEqual(['chmod u+x "/a"']);
    expect(permissionFixes(web, '/a', { uid: 1, gid: 77, mode: 0o707 }, 'x')).toEqual(['chmod g+x "/a"']);
  });
});
