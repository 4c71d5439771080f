/** Which core a process runs on, where the order of turns would otherwise depend on the scheduler's mood. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import type { Program } from './peer.js';

/** A core for both ends of a cell, or the reason why there is no saying. */
export interface Placement {
  readonly core: number | undefined;
  readonly reason?: string;
}

export function findPlacement(): Placement {
  if (process.platform !== 'linux') return { core: undefined, reason: 'this system does not bind processes to cores' };
  const core = lastAllowedCore(readFileSync('/proc/self/status', 'utf8'));
  if (core === undefined) return { core, reason: 'the kernel does not tell which cores may be used' };
  if (spawnSync('taskset', ['-c', String(core), 'true']).status !== 0) {
    return { core: undefined, reason: 'taskset (util-linux) does not work here' };
  }
  return { core };
}

/** Those that processes may be bound to, by number; none where that can't be done. */
export function allowedCores(): number[] {
  if (findPlacement().core === undefined) return [];
  return coresOf(readFileSync('/proc/self/status', 'utf8'));
}

/** Interrupts are mostly served by the first core: the last one has the fewest. */
export function lastAllowedCore(status: string): number | undefined {
  return coresOf(status).at(-1);
}

/** Of `Cpus_allowed_list: 0-2,5`. */
function coresOf(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  return (list?.split(',') ?? []).flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/**
 * Binds all threads of processes that run to these cores, and with them those that they start from here on. False: not all
 * could be.
 */
export function bindThreads(pids: readonly number[], ...cores: readonly number[]): boolean {
  const bound = pids.map((pid) => {
    const { status } = spawnSync('taskset', ['-a', '-c', '-p', cores.join(','), String(pid)]);
    // One that has ended meanwhile needs no core.
    return status === 0 || !existsSync(`/proc/${String(pid)}`);
  });
  return !bound.includes(false);
}

/** The same program on one core; taskset becomes it, so that process and signals are its own. */
export function onCore({ command, args }: Program, core: number): Program {
  return { command: 'taskset', args: ['-c', String(core), command, ...args] };
}
