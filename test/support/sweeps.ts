/** Made-up results of a sweep. */
import { conclude } from '../../bench/tune/conclude.js';
import {
  MEASURES,
  type BufferChoice,
  type CellResult,
  type MeasureName,
  type Sample,
  type SubjectName,
  type SweepResult,
} from '../../bench/tune/model.js';
import type { SweepPlan } from '../../bench/tune/plan.js';
import { settingsFor } from '../../bench/tune/settings.js';
import { cellsOf } from '../../bench/tune/summary.js';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Linux's default, and what it answers when a buffer is set. */
const LINUX_DEFAULT = 212_992;

export interface MadeUp {
  readonly subject?: SubjectName;
  readonly size?: number;
  readonly buffer: BufferChoice;
  /** Throughput, one a round. */
  readonly rates: readonly number[];
  /** Microseconds until the response has left, its reader being late. */
  readonly held?: number;
  /** Most of what may be set, as net.core.wmem_max. */
  readonly limit?: number;
}

export function samplesOf({ subject = 'native', size = MIB, buffer, rates, held = 9000, limit }: MadeUp): Sample[] {
  const set = buffer === 'default' ? LINUX_DEFAULT : 2 * Math.min(buffer, limit ?? Infinity);
  return rates.map((rate, round) => ({
    subject,
    size,
    buffer,
    round,
    values: { rate, p50: 1e12 / rate, p99: 2e12 / rate, cpu: 1e11 / rate, held },
    set,
    effective: set,
  }));
}

/** The cells of samples on Linux, in the order of a plan that has them all. */
export function madeUpCells(all: readonly MadeUp[]): CellResult[] {
  return cellsOf(all.flatMap(samplesOf), planOf(all), 'linux');
}

function planOf(all: readonly MadeUp[]): SweepPlan {
  const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
  return {
    mode: 'default',
    family: 'unix',
    subjects: distinct(all.map(({ subject = 'native' }) => subject)),
    sizes: distinct(all.map(({ size = MIB }) => size)),
    buffers: distinct(all.map(({ buffer }) => buffer)),
    rounds: Math.max(...all.map(({ rates }) => rates.length)),
    allRounds: true,
    skipped: [],
  };
}

/** A whole result around made-up cells; `words` stand wherever a machine or a user has a say. */
export function madeUpSweep(all: readonly MadeUp[], words: string): SweepResult {
  const plan = planOf(all);
  const cells = madeUpCells(all);
  const conclusions = conclude(cells);
  const limits = { mostBuffer: 4 * MIB, somaxconn: 4096 };
  return {
    host: { cpu: `A CPU ${words}`, cores: 2, kernel: 'Linux 6.1', load: 0.1, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    command: `nearwire tune ${words}`,
    started: '2026-01-02T03:04:05.000Z',
    seconds: 83,
    family: 'unix',
    platform: 'linux',
    subjects: plan.subjects,
    sizes: plan.sizes,
    buffers: plan.buffers,
    rounds: plan.rounds,
    limits,
    cells,
    conclusions,
    settings: settingsFor({ cells, conclusions, limits, family: 'unix', platform: 'linux' }),
    warnings: [words],
    skipped: [],
    failures: [],
    interrupted: false,
  };
}

export const MEASURE_NAMES: readonly MeasureName[] = MEASURES.map(({ name }) => name);
