/**
 * CPU of a group of processes, user and system, over a stretch.
 *
 * `/proc/PID/stat` has both, and that of children which have ended and been waited for, in steps of 10 ms; on most
 * kernels the split is sampled by the timer interrupt. `/proc/PID/task/TID/schedstat` has the sum alone, to the
 * nanosecond, of threads that live. So: the sum from schedstat where all threads lived through the stretch, split as stat
 * says. What is left out: children that nobody waits for (their parent ignores SIGCHLD) or whose parent is not of the
 * group, from the last reading on; and the kernel's work in interrupts. Over loopback the receiving end of TCP runs in
 * the sender's `send` and is charged to the sender, unless the kernel has CONFIG_IRQ_TIME_ACCOUNTING, which charges
 * nobody.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Microseconds. */
export interface CpuTimes {
  readonly user: number;
  readonly system: number;
}

/** Of one process, as of one moment. */
interface ProcessTimes {
  /** Tells it from a later process of the same number. */
  readonly started: string;
  readonly parent: number;
  readonly self: CpuTimes;
  readonly children: CpuTimes;
  /** Nanoseconds of each living thread. */
  readonly threads: ReadonlyMap<string, number>;
}

export type CpuReading = ReadonlyMap<number, ProcessTimes>;

/** The unit of times in /proc, of every Linux that Node runs on. */
const US_A_TICK = 1e4;
const US_A_NS = 1e-3;

/** Why there is no CPU to tell of; undefined: there is. */
export function cpuMissing(): string | undefined {
  if (process.platform === 'linux') return undefined;
  return `CPU is not measured on ${process.platform}: it is read from /proc, which only Linux has`;
}

/** The CPU of these processes so far. Those that have ended meanwhile are left out. */
export function readCpu(pids: readonly number[]): CpuReading {
  const reading = new Map<number, ProcessTimes>();
  for (const pid of pids) {
    const times = readProcess(pid);
    if (times) reading.set(pid, times);
  }
  return reading;
}

/** What was used between two readings, by processes that came or went too. */
export function cpuBetween(before: CpuReading, after: CpuReading): CpuTimes {
  let user = 0;
  let system = 0;
  const add = (times: CpuTimes, sign = 1): void => {
    user += sign * times.user;
    system += sign * times.system;
  };
  for (const [pid, now] of after) {
    const then = sameProcess(before.get(pid), now);
    add(selfBetween(then, now));
    add(now.children);
    if (then) add(then.children, -1);
  }
  for (const [pid, gone] of before) {
    const now = after.get(pid);
    if (now && now.started === gone.started) continue;
    // Its parent has its whole life now, of which this part was before.
    if (!after.has(gone.parent)) continue;
    add(gone.self, -1);
    add(gone.children, -1);
  }
  // A child that nobody waited for makes it less than nothing.
  return { user: Math.max(0, user), system: Math.max(0, system) };
}

function sameProcess(then: ProcessTimes | undefined, now: ProcessTimes): ProcessTimes | undefined {
  return then?.started === now.started ? then : undefined;
}

function selfBetween(then: ProcessTimes | undefined, now: ProcessTimes): CpuTimes {
  const user = now.self.user - (then?.self.user ?? 0);
  const system = now.self.system - (then?.self.system ?? 0);
  const exact = exactBetween(then, now);
  // The kernel may keep no such figures, and then has zeros; and of an idle process there is no telling by ticks.
  if (exact === undefined || (exact === 0 && user + system > 0)) return { user, system };
  const life = now.self.user + now.self.system;
  const share = user + system > 0 ? user / (user + system) : life > 0 ? now.self.user / life : 1;
  return { user: exact * share, system: exact * (1 - share) };
}

/** Microseconds by schedstat; undefined if a thread has ended, whose time is in no file. */
function exactBetween(then: ProcessTimes | undefined, now: ProcessTimes): number | undefined {
  if (now.threads.size === 0) return undefined;
  let nanoseconds = 0;
  for (const time of now.threads.values()) nanoseconds += time;
  for (const [thread, time] of then?.threads ?? []) {
    if (!now.threads.has(thread)) return undefined;
    nanoseconds -= time;
  }
  return nanoseconds * US_A_NS;
}

function readProcess(pid: number): ProcessTimes | undefined {
  const folder = `/proc/${String(pid)}`;
  try {
    return { ...parseStat(readFileSync(join(folder, 'stat'), 'utf8')), threads: readThreads(folder) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It ended just now; ESRCH comes from a file that was opened in time.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** `/proc/PID/stat`, whose second field, the name, may have anything in it. */
export function parseStat(stat: string): Omit<ProcessTimes, 'threads'> {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number): number => Number(fields[index]) * US_A_TICK;
  // proc_pid_stat(5): ppid is field 4, utime to cstime are 14 to 17, starttime 22; the first here is field 3.
  return {
    parent: Number(fields[1]),
    self: { user: ticks(11), system: ticks(12) },
    children: { user: ticks(13), system: ticks(14) },
    started: fields[19] ?? '',
  };
}

function readThreads(folder: string): Map<string, number> {
  const threads = new Map<string, number>();
  for (const thread of readdirSync(join(folder, 'task'))) {
    const text = readIfThere(join(folder, 'task', thread, 'schedstat'));
    if (text !== undefined) threads.set(thread, Number(text.split(' ')[0]));
  }
  return threads;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The thread has ended, or the kernel has no such file.
    return undefined;
  }
}
