/** Which processes hold a socket open, from /proc: as far as this user may look. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

export interface ProcessInfo {
  pid: number;
  /** As `ps` shows it (`comm`): the program's name, or what the process has called itself. */
  name: string;
}

/** The holders of all sockets at one moment. */
export interface SocketHolders {
  /** By the sockets' inodes. */
  holders: ReadonlyMap<string, readonly ProcessInfo[]>;
  /** Processes that may not be looked into, as they are another user's. */
  hidden: number;
}

/** Undefined where there is no /proc. Takes some milliseconds for each thousand descriptors on the host. */
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

/** The inodes of the sockets that a process has open; it may be gone meanwhile. */
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

/** Node from 22 on calls its main thread, and so the process, by this name. */
const NAMELESS: ReadonlySet<string> = new Set(['MainThread', 'node-MainThread']);

function nameOf(pid: string): string {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').replace(/\n$/, '');
    return NAMELESS.has(name) ? basename(linkOf(`/proc/${pid}/exe`)) || name : name;
  } catch {
    return '';
  }
}
