/**
 * Examines a socket's path from a client's point of view: component by component, as another user, with other mounts.
 */
import { lstatSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
import { allows, permissionFixes, SEARCH, standingOf, WRITE, type Account } from './account.js';
import type { Finding } from './finding.js';

/** The size of sun_path, including the NUL that nginx and libuv append. */
const PATH_BYTES = process.platform === 'darwin' ? 104 : 108;
/** As in the kernel: more links than this are considered a loop. */
const MOST_LINKS = 40;

export const NGINX_MISSING = '2: No such file or directory';
export const NGINX_DENIED = '13: Permission denied';
export const NGINX_REFUSED = '111: Connection refused';
export const NGINX_FULL = '11: Resource temporarily unavailable';

export interface Examined {
  findings: Finding[];
  /** Whether the path leads to a socket, as far as this process can see. */
  isSocket: boolean;
}

/** Converts `unix:/run/app.sock:/uri` of nginx's configuration to a path, and `@name` to a name with a leading NUL. */
export function plainPath(given: string): string {
  const bare = given.startsWith('unix:') ? given.slice('unix:'.length).replace(/:.*$/, '') : given;
  return bare.startsWith('@') ? `\0${bare.slice(1)}` : bare;
}

/** Checks the form of a path alone. */
export function checkForm(path: string): Finding[] {
  if (path.startsWith('\0')) return [abstractFinding(path)];
  const findings: Finding[] = [];
  const bytes = Buffer.byteLength(path);
  if (bytes >= PATH_BYTES) {
    findings.push({
      check: 'path.overlong',
      level: 'problem',
      message: `the path has ${String(bytes)} bytes; the limit for a socket is ${String(PATH_BYTES - 1)}`,
      explanation:
        'nginx rejects it ("too long path in the unix domain socket"); node connects to a truncated one or throws EINVAL.',
      remedies: [`ln -s ${JSON.stringify(dirname(resolve(path)))} /run/app  # then use /run/app/${parse(path).base}`],
    });
  }
  if (!isAbsolute(path)) {
    findings.push({
      check: 'path.relative',
      level: 'warning',
      message: `the path is relative: here it is ${resolve(path)}`,
      explanation:
        'Each process resolves it from its own working directory; that of nginx is rarely that of the application.',
      remedies: [`use ${resolve(path)}`],
    });
  }
  return findings;
}

function abstractFinding(path: string): Finding {
  return {
    check: 'path.abstract',
    level: 'note',
    message: `@${path.slice(1)} is an abstract name: it has no file and no permissions`,
    explanation:
      'Any process in the same network namespace may connect, none in another, such as another container. nginx does not support such upstreams.',
    remedies: ['listen on a path in a directory that both mount, if the reverse proxy is in another container'],
  };
}

/** Follows a path to its end. */
export function walkPath(path: string, account: Account | undefined): Examined {
  const walk = new Walk(account);
  const end = walk.follow(resolve(path), 0);
  if (end === undefined) return { findings: walk.findings, isSocket: false };
  walk.checkEnd(end.path, end.stats);
  return { findings: walk.findings, isSocket: end.stats.isSocket() };
}

class Walk {
  readonly findings: Finding[] = [];
  private readonly seen = new Set<string>();

  constructor(private readonly account: Account | undefined) {}

  /** Undefined: it cannot be followed, and a finding has the reason. */
  follow(path: string, links: number): { path: string; stats: Stats } | undefined {
    const { root } = parse(path);
    const names = path.slice(root.length).split(sep).filter(Boolean);
    let at = root;
    for (const [i, name] of names.entries()) {
      this.checkDirectory(at);
      at = join(at, name);
      const stats = this.look(at, i === names.length - 1);
      if (stats === undefined) return undefined;
      const rest = names.slice(i + 1);
      if (stats.isSymbolicLink()) return this.followLink(at, rest, links);
      if (rest.length === 0) return { path: at, stats };
      if (!stats.isDirectory()) {
        this.missing(at, `${at} is not a directory`, 'path.not-directory');
        return undefined;
      }
    }
    return { path: root, stats: lstatSync(root) };
  }

  private followLink(at: string, rest: string[], links: number): { path: string; stats: Stats } | undefined {
    const target = readlinkSync(at);
    this.findings.push({ check: 'path.symlink', level: 'note', message: `${at} is a symbolic link to ${target}` });
    if (links >= MOST_LINKS) {
      this.missing(at, `the symbolic links of ${at} form a loop`, 'path.symlink-loop');
      return undefined;
    }
    return this.follow(resolve(dirname(at), target, ...rest), links + 1);
  }

  private look(path: string, last: boolean): Stats | undefined {
    try {
      return lstatSync(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') {
        const message = last ? `there is no ${path}` : `there is no directory ${path}`;
        this.missing(path, message, last ? 'path.missing' : 'path.missing-directory');
      } else {
        this.findings.push({
          check: 'path.unseen',
          level: 'warning',
          message: `${path} cannot be examined: ${String(code)}`,
          explanation: 'This user cannot see anything beyond it.',
          remedies: ['run the doctor as root, or as the user of the application'],
        });
      }
      return undefined;
    }
  }

  private missing(path: string, message: string, check: string): void {
    this.findings.push({
      check,
      level: 'problem',
      message,
      explanation:
        'Nothing listens there: the application has not started, uses another path, or has removed its socket when it closed.',
      remedies: [
        `ss -xlp  # shows which paths processes listen on`,
        ...(check === 'path.missing-directory'
          ? [`mkdir -p ${JSON.stringify(path)}`, 'RuntimeDirectory=app  # in the systemd unit']
          : ['start the application, or give its actual path']),
      ],
      nginx: NGINX_MISSING,
    });
  }

  private checkDirectory(path: string): void {
    const { account } = this;
    if (account === undefined || this.seen.has(path)) return;
    this.seen.add(path);
    const stats = statSync(path);
    if (allows(account, stats, SEARCH)) return;
    this.findings.push({
      check: 'path.directory-permission',
      level: 'problem',
      message: `${account.name} cannot pass through ${path} (${shownMode(stats)}, and ${account.name} is ${standing(account, stats)})`,
      explanation: 'A connect needs x on every directory on the way.',
      remedies: permissionFixes(account, path, stats, 'x'),
      nginx: NGINX_DENIED,
    });
  }

  checkEnd(path: string, stats: Stats): void {
    if (!stats.isSocket()) {
      this.findings.push({
        check: 'path.not-socket',
        level: 'problem',
        message: `${path} is ${kindOf(stats)}, not a socket`,
        explanation: 'A connect is refused; a server that tries to listen there fails with EADDRINUSE.',
        remedies: [`mv ${JSON.stringify(path)} ${JSON.stringify(`${path}.old`)}  # then start the application`],
        nginx: NGINX_REFUSED,
      });
      return;
    }
    const { account } = this;
    if (account === undefined) return;
    if (allows(account, stats, WRITE)) {
      const message = `${account.name} can connect to ${path} (${shownMode(stats)})`;
      // Only if the directories on the way are passable too.
      if (!this.findings.some(({ level }) => level === 'problem')) {
        this.findings.push({ check: 'path.permission', level: 'ok', message });
      }
      return;
    }
    this.findings.push({
      check: 'path.socket-permission',
      level: 'problem',
      message: `${account.name} cannot connect to ${path} (${shownMode(stats)}, and ${account.name} is ${standing(account, stats)})`,
      explanation: 'A connect needs w on the socket file.',
      remedies: [
        'server.listen({ path, writableAll: true })  # 0777; or umask 0007 and a common group',
        ...permissionFixes(account, path, stats, 'w'),
      ],
      nginx: NGINX_DENIED,
    });
  }
}

function shownMode(stats: Stats): string {
  return `mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')}, owner ${String(stats.uid)}:${String(stats.gid)}`;
}

function standing(account: Account, stats: Stats): string {
  const words = {
    superuser: 'root',
    owner: 'its owner',
    group: 'in its group',
    others: 'neither its owner nor in its group',
  };
  return words[standingOf(account, stats)];
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFile()) return 'a plain file';
  if (stats.isFIFO()) return 'a named pipe';
  return 'a device';
}
