/** Linux's /proc: processes, their parents and titles, and the CPU that they have used. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const US_A_NS = 1e-3;
/** The unit of times in /proc, on every Linux that Node supports. */
const US_A_TICK = 1e4;
/** User and system time in /proc/PID/stat, counted after the name. */
const TIME_FIELDS = [11, 12] as const;

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

/** All processes except zombies. */
export function readProcesses(): ProcessEntry[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => {
    const [state, parent, , session] = ifThere(() => statFields(pid)) ?? [];
    if (state === undefined || state === 'Z' || state === 'X') return [];
    return [{ pid, parent: Number(parent), session: Number(session) }];
  });
}

/** The processes for which `isFirst` holds, and all their running descendants, except this process. */
export function processFamily(isFirst: (entry: ProcessEntry) => boolean): number[] {
  const table = readProcesses().filter(({ pid }) => pid !== process.pid);
  const family = new Set(table.filter(isFirst).map(({ pid }) => pid));
  // Iterating over a growing set includes the new members.
  for (const member of family) {
    for (const { pid, parent } of table) if (parent === member) family.add(pid);
  }
  return [...family];
}

/** Whether a variable of its environment starts with this text, as far as this user may read it. */
export function hasInEnvironment(pid: number, beginning: string): boolean {
  const variables = ifThere(() => readFileSync(`/proc/${String(pid)}/environ`, 'utf8').split('\0')) ?? [];
  return variables.some((variable) => variable.startsWith(beginning));
}

/** Program and arguments, which servers change to describe what a process does. */
export function titleOf(pid: number): string {
  return (
    ifThere(() =>
      readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')
        .replaceAll('\0', ' ')
        .trim(),
    ) ?? ''
  );
}

/** User and system time of all threads of a process, in microseconds. Throws ENOENT once it has ended. */
export function cpuOf(pid: number): number {
  const folder = `/proc/${String(pid)}/task`;
  const threads = readdirSync(folder).map((thread) => join(folder, thread, 'schedstat'));
  // Kernels without these statistics lack the files, or have zeros in them.
  const times = threads
    .filter((file) => existsSync(file))
    .map((file) => Number(readFileSync(file, 'utf8').split(' ')[0]));
  const nanoseconds = times.reduce((sum, time) => sum + time, 0);
  if (nanoseconds > 0) return nanoseconds * US_A_NS;
  const fields = statFields(pid);
  return TIME_FIELDS.reduce((sum, at) => sum + Number(fields[at]), 0) * US_A_TICK;
}

/** The fields of /proc/PID/stat after the name, which may contain any character. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** undefined: the process has ended, or belongs to another user. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
