/**
 * A network of a demonstration's own, so that ports can run out and limits be set without the host noticing: Linux's
 * network namespaces, which root may make, and elsewhere everyone whom the system lets make user namespaces.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

import type { Program } from '../../peer.js';

const LOOPBACK_UP = 'ip link set lo up';
/** Where `ip` is, off the PATH of many users. */
const WITH_ADMINISTRATION = `PATH="$PATH:/usr/sbin:/sbin"`;

/** Words to put before a program, or why there are none. */
export type Isolation = { readonly words: readonly string[] } | { readonly reason: string };

export function findIsolation(): Isolation {
  if (process.platform !== 'linux') return { reason: `${process.platform} has no network namespaces` };
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const words = [
    'unshare',
    ...asRoot,
    '--net',
    'sh',
    '-c',
    `${WITH_ADMINISTRATION}; ${LOOPBACK_UP} && exec "$@"`,
    'sh',
  ];
  const [program = '', ...rest] = words;
  const { status, error, stderr } = spawnSync(program, [...rest, 'true'], { encoding: 'utf8' });
  if (status === 0) return { words };
  const why = error?.message ?? stderr.trim().split('\n')[0] ?? '';
  return { reason: `a network namespace can not be made here (${why === '' ? 'unshare failed' : why})` };
}

export function isolated(isolation: Isolation, program: Program): Program {
  if ('reason' in isolation) return program;
  const [command = '', ...args] = isolation.words;
  return { command, args: [...args, program.command, ...program.args] };
}

function fileOf(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}

/** A setting of the kernel's by its name in sysctl; undefined where there is none. */
export function sysctl(name: string): string | undefined {
  try {
    return readFileSync(fileOf(name), 'utf8').trim().replaceAll(/\s+/g, ' ');
  } catch {
    // Another system, an older kernel, or a container that does not show it.
    return undefined;
  }
}

/** False: it may not be set here. For a network of our own only: see Lab.setSysctl(). */
export function setSysctl(name: string, value: string | number): boolean {
  try {
    writeFileSync(fileOf(name), String(value));
    return true;
  } catch {
    return false;
  }
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Ports that the kernel takes for connections whose own end is not bound. */
export function portRange(): PortRange | undefined {
  const [first, last] = (sysctl('net.ipv4.ip_local_port_range') ?? '').split(' ').map(Number);
  return first === undefined || last === undefined || Number.isNaN(first) ? undefined : { first, last };
}

export function sizeOf({ first, last }: PortRange): number {
  return last - first + 1;
}

/** Of handshakes, first or last packet, that came to a full queue. */
export const OVERFLOWS = 'ListenOverflows';

/** A counter of this network's TCP, by its name in `nstat -az`. Undefined where there is none. */
export function tcpCounter(name: string): number | undefined {
  let lines: string[];
  try {
    lines = readFileSync('/proc/net/netstat', 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const at = lines.findIndex((line) => line.startsWith('TcpExt: ') && line.includes(` ${name} `));
  const index = lines[at]?.split(' ').indexOf(name) ?? -1;
  const value = Number(lines[at + 1]?.split(' ')[index]);
  return index < 0 || Number.isNaN(value) ? undefined : value;
}

/** As /proc/net/tcp numbers it. */
const TIME_WAIT = '06';

export interface Ends {
  readonly all: number;
  /** Of closed connections that the kernel remembers for another minute: those of whoever closed first. */
  readonly timeWait: number;
}

export interface ConnectionEnds {
  /** Of those that had connected to the port: each keeps a port of its own. */
  readonly clients: Ends;
  /** Of those that had been accepted at the port, which cost nobody a port. */
  readonly accepted: Ends;
}

/** Of all connections to a port over IPv4, as of now. */
export function connectionEnds(port: number): ConnectionEnds {
  const ends = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .filter(Boolean)
    .map((line) => line.trim().split(/\s+/));
  const isAt = (end: string | undefined): boolean => parseInt(end?.split(':')[1] ?? '', 16) === port;
  const countOf = (some: readonly (readonly string[])[]): Ends => ({
    all: some.length,
    timeWait: some.filter(([, , , state]) => state === TIME_WAIT).length,
  });
  return {
    clients: countOf(ends.filter(([, , remote]) => isAt(remote))),
    // The listener's own remote end is port 0.
    accepted: countOf(ends.filter(([, local, remote]) => isAt(local) && !remote?.endsWith(':0000'))),
  };
}
