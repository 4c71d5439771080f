/** Which processes hold a socket open, according to /proc and as far as this user may read it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

export interface ProcessInfo {
  pid: number;
  /** As `ps` shows it (`comm`): the program's name, or the name that the process has given itself. */
  name: string;
}

/** The holders of all sockets at one moment. */
export interface SocketHolders {
  /** By socket inode. */
  holders: ReadonlyMap<string, readonly ProcessInfo[]>;
  /** Processes of other users, which this user may not examine. */
  hidden: number;
}

/** Undefined where there is no /proc. Takes some milliseconds per thousand descriptors on the host. */
export function socketHolders(): SocketHolders | undefined {
  const pids = entries('/proc')?.filter((name) => /^\d+$/.test(name));
  if (pids === undefined || pids.length === 0) return undefined;
  const holders = new Map<string, ProcessInfo[]>();
  let hidden = 0;
  for (const pid of pids) {
    const sockets = socketsOf(pid);
    if (sockets === 'hidden') hidden++;
    else if (sockets.size > 0) note({ pid: Number(pid), name: nameOf(pid) }, sockets, holders);
  }
  return { holders, hidden };
}

function note(holder: ProcessInfo, sockets: ReadonlySet<string>, holders: Map<string, ProcessInfo[]>): void {
  for (const inode of sockets) {
    const known = holders.get(inode);
    if (known === undefined) holders.set(inode, [holder]);
    else known.push(holder);
  }
}

function entries(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

/** The inodes of a process's open sockets; the process may have exited meanwhile. */
function socketsOf(pid: string): ReadonlySet<string> | 'hidden' {
  const sockets = new Set<string>();
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'hidden' : sockets;
  }
  for (const descriptor of descriptors) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`))?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  return sockets;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Node from 22 on gives its main thread, and thus the process, one of these names. */
const NAMELESS: ReadonlySet<string> = new Set(['MainThread', 'node-MainThread']);

function nameOf(pid: string): string {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').replace(/\n$/, '');
    return NAMELESS.has(name) ? basename(linkOf(`/proc/${pid}/exe`)) || name : name;
  } catch {
    return '';
  }
}
