/** The host on which the numbers were taken, and what makes them less reliable there. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, type, version } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Bench } from 'tinybench';

import type { CellResult, Host, Versions } from './model.js';
import { nearwireVersion, REPOSITORY } from './package-root.js';

/** Load average per core from which the machine counts as busy: a cell keeps two cores busy by itself. */
const BUSY_LOAD = 0.25;
/** Share of all cores that other processes use now, from which the machine counts as busy. */
const BUSY_NOW = 0.1;
/** Long enough for the kernel's CPU accounting, which has steps of 10 ms. */
const BUSY_SAMPLE_MS = 250;
/** A latency of fewer timer steps than this has an error of more than about 10 %. */
const GRAINS_OF_A_LATENCY = 10;
/** Milliseconds of reading the clock to find its step. */
const GRAIN_SAMPLE_MS = 20;

export interface HostReport {
  readonly host: Host;
  readonly warnings: readonly string[];
}

export async function inspectHost(): Promise<HostReport> {
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  const host: Host = {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    kernel: `${type()} ${release()}`,
    load: Math.round(load * 100) / 100,
    sandbox: detectSandbox(),
  };
  const busyNow = await busyShare();
  const warnings: string[] = [];
  if (load > BUSY_LOAD * host.cores || busyNow > BUSY_NOW) {
    warnings.push(
      `busy machine: load ${load.toFixed(2)} on ${String(host.cores)} cores before the start, ` +
        `${(busyNow * 100).toFixed(0)} % of them in use just now`,
    );
  }
  if (host.cores < 2) warnings.push('one core: server and client take turns, and rates are of both together');
  if (host.sandbox !== null) {
    warnings.push(`sandboxed kernel (${host.sandbox}): system calls cost what they cost nowhere else`);
  }
  return { host, warnings };
}

/** The share of all cores in use over a moment, 0 to 1. */
async function busyShare(): Promise<number> {
  const before = cpuTimes();
  await delay(BUSY_SAMPLE_MS);
  const after = cpuTimes();
  const total = after.total - before.total;
  return total > 0 ? 1 - (after.idle - before.idle) / total : 0;
}

function cpuTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

/** Kernels that emulate Linux, by their version texts. A virtual machine runs a real kernel and is not among them. */
const SANDBOXES = [
  // It reports one fixed build date, whatever release it is configured to report.
  { name: 'gVisor', words: /gvisor|#1 SMP Sun Jan 10 15:06:54 PST 2016/i },
  // It translates system calls; WSL 2 is a virtual machine with its own kernel.
  { name: 'WSL 1', words: /^\S*microsoft(?!\S*wsl2)/im },
  { name: 'User Mode Linux', words: /User Mode Linux/i },
];

export function detectSandbox(said = kernelWords()): string | null {
  return SANDBOXES.find(({ words }) => words.test(said))?.name ?? null;
}

function kernelWords(): string {
  // Only Linux has these.
  const files = ['/proc/version', '/proc/cpuinfo'].filter((file) => existsSync(file));
  return [release(), version(), ...files.map((file) => readFileSync(file, 'utf8'))].join('\n');
}

export function readVersions(): Versions {
  return { node: process.versions.node, nearwire: nearwireVersion(), commit: commit() };
}

function commit(): string {
  // An installed package has no history of its own: git would report the repository that contains it.
  if (!existsSync(join(REPOSITORY, '.git'))) return 'unknown';
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], {
      cwd: REPOSITORY,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // No git, or no commit yet.
    return 'unknown';
  }
}

/** The smallest step of the clock that measures latencies, in microseconds; found by timing calls that do nothing. */
export function timerGrain(): number {
  const bench = new Bench({ time: GRAIN_SAMPLE_MS, warmup: false });
  bench.add('nothing', () => undefined);
  const [task] = bench.runSync();
  return (task?.detectedResolution ?? 0) * 1e3;
}

/** Lists the cells whose latency is too close to the clock's step to be reliable. */
export function grainWarnings(cells: readonly CellResult[], grain: number): string[] {
  return cells
    .filter(({ unit, median }) => unit === 'us' && median < grain * GRAINS_OF_A_LATENCY)
    .map(
      (cell) =>
        `timer grain: ${cell.case} ${cell.subject} ${cell.measure} is ${cell.median.toFixed(2)} us, ` +
        `and the clock's step is ${grain.toFixed(2)} us`,
    );
}
