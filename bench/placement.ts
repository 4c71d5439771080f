/** Binds processes to cores, because results would otherwise depend on the scheduler. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import type { Program } from './peer.js';

/** The cores of a cell's processes, or the reason why they are not bound. */
export interface Placement {
  /** The server's core, or that of both ends if they alternate; then, if there are two, the client's. */
  readonly cores: readonly number[];
  readonly reason?: string;
}

export function findPlacement(): Placement {
  if (process.platform !== 'linux') return { cores: [], reason: 'this system does not bind processes to cores' };
  const cores = coresApart(readFileSync('/proc/self/status', 'utf8'), siblingsOf);
  if (cores[0] === undefined) return { cores, reason: 'the kernel does not tell which cores may be used' };
  if (spawnSync('taskset', ['-c', String(cores[0]), 'true']).status !== 0) {
    return { cores: [], reason: 'taskset (util-linux) does not work here' };
  }
  return { cores };
}

/** The cores that processes may be bound to, by number; none if binding does not work. */
export function allowedCores(): number[] {
  if (findPlacement().cores.length === 0) return [];
  return coresOf(readFileSync('/proc/self/status', 'utf8'));
}

/**
 * Up to two of the cores that /proc/PID/status allows. The first core usually serves most interrupts, so the last one
 * has the fewest. The other one is not a thread of the same core, if there is such a choice.
 */
export function coresApart(status: string, siblings: (core: number) => readonly number[]): number[] {
  const [last, ...others] = coresOf(status).toReversed();
  if (last === undefined) return [];
  const other = others.find((core) => !siblings(last).includes(core)) ?? others[0];
  return other === undefined ? [last] : [last, other];
}

function siblingsOf(core: number): number[] {
  const file = `/sys/devices/system/cpu/cpu${String(core)}/topology/thread_siblings_list`;
  return existsSync(file) ? listed(readFileSync(file, 'utf8').trim()) : [];
}

/** From `Cpus_allowed_list: 0-2,5`. */
function coresOf(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  return list === undefined ? [] : listed(list);
}

/** `0-2,5`. */
function listed(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/**
 * Binds all threads of running processes to these cores, and thus all that they start later. Returns false if some
 * could not be bound.
 */
export function bindThreads(pids: readonly number[], ...cores: readonly number[]): boolean {
  const bound = pids.map((pid) => {
    const { status } = spawnSync('taskset', ['-a', '-c', '-p', cores.join(','), String(pid)]);
    // A process that has exited meanwhile needs no core.
    return status === 0 || !existsSync(`/proc/${String(pid)}`);
  });
  return !bound.includes(false);
}

/**
 * The same program on one core, if one is given. taskset replaces itself by it, so that process and signals are the
 * program's own.
 */
export function onCore(program: Program, core: number | undefined): Program {
  const { command, args } = program;
  return core === undefined ? program : { command: 'taskset', args: ['-c', String(core), command, ...args] };
}
