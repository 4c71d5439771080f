/**
 * Processes of this host, as far as /proc shows them: which ones hold a socket, and in which namespaces a reverse proxy
 * runs. Linux only.
 */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { readText } from './system-files.js';

export interface Process {
  pid: number;
  name: string;
  /** One letter, as in ps: T is stopped. */
  state: string;
}

function pids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function processOf(pid: number): Process | undefined {
  // The name is in brackets and may contain any character.
  const [, name, state] = /^\d+ \((.*)\) (\S)/s.exec(readText(`/proc/${String(pid)}/stat`) ?? '') ?? [];
  return name === undefined || state === undefined ? undefined : { pid, name, state };
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function hasSocket(pid: number, inode: string): boolean {
  const directory = `/proc/${String(pid)}/fd`;
  const descriptors = attempt(() => readdirSync(directory)) ?? [];
  return descriptors.some((fd) => attempt(() => readlinkSync(`${directory}/${fd}`)) === `socket:[${inode}]`);
}

/** The processes that have the socket with this inode open, as far as this user can see. */
export function ownersOf(inode: string): Process[] {
  return pids()
    .filter((pid) => hasSocket(pid, inode))
    .flatMap((pid) => processOf(pid) ?? []);
}

export function processesNamed(name: string): Process[] {
  return pids().flatMap((pid) => {
    const found = processOf(pid);
    return found?.name === name ? [found] : [];
  });
}

export type Namespace = 'mnt' | 'net';

/** The namespace's name; undefined if access is denied. */
export function namespaceOf(pid: number | 'self', kind: Namespace): string | undefined {
  return attempt(() => readlinkSync(`/proc/${String(pid)}/ns/${kind}`));
}

/** Whether the path leads to the same file for that process as here; undefined if access is denied. */
export function seesSameFile(pid: number, path: string): boolean | undefined {
  const here = attempt(() => statSync(path, { bigint: true }));
  const root = `/proc/${String(pid)}/root`;
  if (here === undefined || attempt(() => statSync(root)) === undefined) return undefined;
  const there = attempt(() => statSync(`${root}${path}`, { bigint: true }));
  return there !== undefined && there.dev === here.dev && there.ino === here.ino;
}
