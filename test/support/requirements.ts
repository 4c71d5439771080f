/** What a test needs of the machine and a user's machine may lack. In CI, where all of it is set up, it must be there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { transportStatus } from 'nearwire';
import { isExecutable } from '../../bench/executable.js';
import { findFloor } from '../../bench/floor.js';

const FIND = {
  /** A Chromium to open pages in. */
  chromium: () => [process.env['CHROMIUM'] ?? '/usr/bin/chromium'].find(isExecutable),
  /** The plain C program of the benchmark, built by `npm run build:floor`. */
  floor: findFloor,
  /** The native addon. */
  addon: () => transportStatus().addon,
  nginx: () => onPath('nginx'),
  /** The server of that name, with its plugin for Python 3. */
  uwsgi: () => onPath('uwsgi'),
  /** Checks units of systemd. */
  'systemd-analyze': () => onPath('systemd-analyze'),
  /** Injects errors of system calls. */
  strace: () => onPath('strace'),
  /** Counts instructions. */
  valgrind: () => onPath('valgrind'),
  /** Changes the limits of a process that runs. */
  prlimit: () => onPath('prlimit'),
  /** Shows sockets' queues. */
  ss: () => onPath('ss'),
  /** util-linux's: runs a program in a pseudo terminal. */
  script: () => onPath('script'),
  python: () => onPath('python3'),
  /** Makes other namespaces, where the user may. */
  unshare: () => [onPath('unshare')].find((unshare) => unshare !== undefined && canUnshare(unshare)),
  /** Mounts an overlay file system, in a mount namespace of its own. */
  overlay: () => [onPath('unshare')].find((unshare) => unshare !== undefined && canMountOverlay(unshare)),
  haproxy: () => onPath('haproxy'),
  apache: () => onPath('apache2') ?? onPath('httpd'),
  zsh: () => onPath('zsh'),
  fish: () => onPath('fish'),
  redis: () => onPath('redis-server'),
  mariadb: () => onPath('mariadbd'),
  /** Debian keeps it off the PATH, by version. */
  postgres: () => onPath('postgres', postgresDirectories()),
};

export type Requirement = keyof typeof FIND;

/**
 * The path of what is required, or undefined, which is for `describe.skipIf` and `test.skipIf`: a missing tool is no
 * failure for a user. It is one where CI is set, as a test that is always skipped checks nothing.
 */
export function requireOrSkip(name: Requirement): string | undefined {
  const path = FIND[name]();
  if (path === undefined && process.env['CI']) throw new Error(`CI needs ${name}, and it is not there`);
  return path;
}

/** A server's program: a user's PATH often lacks where they are. */
function onPath(name: string, more: readonly string[] = ['/usr/sbin', '/usr/local/sbin']): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...more];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function canUnshare(unshare: string): boolean {
  return spawnSync(unshare, ['--map-root-user', '--net', 'true']).status === 0;
}

/** Words that run a program with an overlay file system at this directory, in a mount namespace of its own. */
export function withOverlay(unshare: string, directory: string): string[] {
  const script = `mount -t tmpfs none "$0" && mkdir "$0/low" "$0/up" "$0/work" "$0/all" && mount -t tmpfs none "$0/low" &&
    mount -t overlay none -o "lowerdir=$0/low,upperdir=$0/up,workdir=$0/work" "$0/all" && mount --move "$0/all" "$0" && exec "$@"`;
  return [unshare, '--mount', 'sh', '-c', script, directory];
}

function canMountOverlay(unshare: string): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'nearwire-overlay-'));
  const [program = '', ...words] = withOverlay(unshare, directory);
  const { status } = spawnSync(program, [...words, 'true']);
  rmSync(directory, { recursive: true });
  return status === 0;
}

function postgresDirectories(): string[] {
  const root = '/usr/lib/postgresql';
  return existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : [];
}
