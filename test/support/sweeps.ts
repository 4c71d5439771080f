/** Made-up results of a sweep. */
import { CASES } from '../../bench/cases/index.js';
import type { BenchResult, Sample, SeriesResult } from '../../bench/model.js';
import { cellsOf, ratiosOf } from '../../bench/statistics.js';
import { conclude, subjectWith } from '../../bench/tune/conclude.js';
import {
  WAYS,
  type BufferChoice,
  type SweepResult,
  type Take,
  type Way,
  type WayName,
} from '../../bench/tune/model.js';
import { sweepOf } from '../../bench/tune/plan.js';
import { settingsFor, type Found } from '../../bench/tune/settings.js';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Linux's default, and what it answers when a buffer is set. */
const LINUX_DEFAULT = 212_992;

export interface MadeUp {
  readonly way?: WayName;
  readonly bytes?: number;
  readonly buffer: BufferChoice;
  /** Requests a second, one a round. */
  readonly rates: readonly number[];
  /** The largest response that the buffer takes. */
  readonly takes?: number;
  /** Most of what may be set, as net.core.wmem_max. */
  readonly limit?: number;
}

/** What a sweep on Linux found; `words` stand wherever a machine or a user has a say. */
export function madeUpSweep(all: readonly MadeUp[], words = ''): SweepResult {
  const takes = takesOf(all);
  const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
  const ways = WAYS.filter(({ name }) => all.some(({ way = 'native' }) => way === name));
  const sizes = distinct(all.map(({ bytes = MIB }) => bytes));
  const results = distinct(ways.map((way) => way.case)).flatMap((name) =>
    sizes.map((bytes) => seriesOf(name, bytes, all, ways)),
  );
  const buffers = distinct(all.map(({ buffer }) => buffer));
  const choice = { mode: 'default', family: 'unix', sizes, buffers, ways: ways.map(({ name }) => name) } as const;
  const limits = { mostBuffer: 4 * MIB, somaxconn: 4096 };
  const { lineup = [] } = sweepOf(choice, limits, 'linux').choice;
  const bench: BenchResult = {
    host: { cpu: `A CPU ${words}`, cores: 2, kernel: 'Linux 6.1', load: 0.1, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    ...{ command: `nearwire tune ${words}`, started: '2026-01-02T03:04:05.000Z', seconds: 83, lineup, environment: {} },
    ...{ results, cells: results.flatMap(cellsOf), ratios: results.flatMap((result) => ratiosOf(result, lineup)) },
    ...{ latencies: [], warnings: [words], skipped: [], failures: [], interrupted: false },
  };
  const found = { takes, conclusions: conclude(results, takes), limits };
  return { ...bench, ...found, settings: settingsFor({ ...found, family: 'unix', platform: 'linux' }) };
}

/** The same as what the lines are made from. */
export function foundOf(all: readonly MadeUp[], more: Partial<Found> = {}): Found {
  return { ...madeUpSweep(all), family: 'unix', platform: 'linux', ...more };
}

function takesOf(all: readonly MadeUp[]): Take[] {
  return WAYS.flatMap(({ name }) => {
    const own = all.filter(({ way = 'native' }) => way === name);
    return own
      .filter(({ buffer }, at) => own.findIndex((other) => other.buffer === buffer) === at)
      .map(({ buffer, takes = 0, limit = Infinity }) => {
        const set = buffer === 'default' ? LINUX_DEFAULT : 2 * Math.min(buffer, limit);
        const clamped = buffer !== 'default' && buffer > limit;
        return { way: name, buffer, set, effective: set, clamped, bytes: takes, tried: 16 * MIB };
      });
  });
}

function seriesOf(name: string, bytes: number, all: readonly MadeUp[], ways: readonly Way[]): SeriesResult {
  const benchCase = CASES.find((entry) => entry.name === name);
  if (!benchCase) throw new Error(`no case ${name}`);
  const samples = all
    .filter((made) => (made.bytes ?? MIB) === bytes)
    .flatMap(({ way = 'native', buffer, rates }): Sample[] => {
      const found = ways.find((entry) => entry.name === way && entry.case === name);
      if (!found) return [];
      const subject = subjectWith(found.subject, buffer);
      return rates.map((rate, round) => ({ round, subject, values: { rate, cpu: 1e5 / rate } }));
    });
  const subjects = [...new Set(samples.map(({ subject }) => subject))];
  return { series: { case: benchCase, params: { bytes }, family: 'unix', subjects, rounds: 5 }, samples };
}
