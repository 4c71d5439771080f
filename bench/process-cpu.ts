/** CPU of processes that are not ours to ask, from /proc. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readProcesses } from './cost/process-table.js';

const US_A_NS = 1e-3;
/** The unit of times in /proc, of every Linux that Node runs on. */
const US_A_TICK = 1e4;
/** Of /proc/PID/stat, counted from behind the name, which may have anything in it. */
const TIME_FIELDS = [11, 12] as const;

/** User and system time of all threads of a process, microseconds. Throws ENOENT once it has ended. */
export function cpuOf(pid: number): number {
  const folder = `/proc/${String(pid)}`;
  const threads = readdirSync(join(folder, 'task')).map((thread) => join(folder, 'task', thread, 'schedstat'));
  // A kernel that keeps no such figures has no such files, or zeros in them.
  const times = threads
    .filter((file) => existsSync(file))
    .map((file) => Number(readFileSync(file, 'utf8').split(' ')[0]));
  const nanoseconds = times.reduce((sum, time) => sum + time, 0);
  if (nanoseconds > 0) return nanoseconds * US_A_NS;
  const fields = statFields(pid);
  return TIME_FIELDS.reduce((sum, at) => sum + Number(fields[at]), 0) * US_A_TICK;
}

function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** These processes, and all that they and theirs have started and that run, but for the bench itself. */
export function withDescendants(pids: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of readProcesses()) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const all = new Set(pids);
  // A set that grows while it is gone through is gone through to its new end.
  for (const pid of all) {
    for (const child of children.get(pid) ?? []) if (child !== process.pid) all.add(child);
  }
  return [...all];
}
