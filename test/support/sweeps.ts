/** Made-up results of a sweep. */
import { CASES } from '../../bench/cases/index.js';
import type { BenchResult, Sample, SeriesResult } from '../../bench/model.js';
import { cellsOf, ratiosOf } from '../../bench/statistics.js';
import { conclude, subjectWith } from '../../bench/tune/conclude.js';
import type { BufferChoice, SweepResult, Take, Way, WayName } from '../../bench/tune/model.js';
import { distinct, waysOf } from '../../bench/tune/model.js';
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
export function madeUpSweep(given: readonly MadeUp[], words = ''): SweepResult {
  const all = given.map((made) => ({ way: 'native' as const, bytes: MIB, takes: 0, limit: Infinity, ...made }));
  const ways = waysOf(all);
  const sizes = distinct(all.map(({ bytes }) => bytes));
  const buffers = distinct(all.map(({ buffer }) => buffer));
  const choice = { mode: 'default', family: 'unix', sizes, buffers, ways: ways.map(({ name }) => name) } as const;
  const limits = { mostBuffer: 4 * MIB, somaxconn: 4096 };
  const { lineup = [] } = sweepOf(choice, limits, 'linux').choice;
  const takes = ways.flatMap(({ name }) => {
    const own = all.filter(({ way }) => way === name);
    return distinct(own.map(({ buffer }) => buffer)).map((buffer) => takeOf(name, buffer, own));
  });
  const results = CASES.flatMap((benchCase) =>
    sizes.map((bytes): SeriesResult => {
      const samples = ways
        .filter((way) => way.case === benchCase.name)
        .flatMap((way) => all.filter((made) => made.way === way.name && made.bytes === bytes).flatMap(samplesOf(way)));
      const subjects = distinct(samples.map(({ subject }) => subject));
      return { series: { case: benchCase, params: { bytes }, family: 'unix', subjects, rounds: 5 }, samples };
    }),
  );
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

function takeOf(way: WayName, buffer: BufferChoice, all: readonly Required<MadeUp>[]): Take {
  const { takes = 0, limit = Infinity } = all.find((made) => made.buffer === buffer) ?? {};
  const set = buffer === 'default' ? LINUX_DEFAULT : 2 * Math.min(buffer, limit);
  const clamped = buffer !== 'default' && buffer > limit;
  return { way, buffer, set, effective: set, clamped, bytes: takes, tried: 16 * MIB };
}

function samplesOf(way: Way): (made: MadeUp) => Sample[] {
  return ({ buffer, rates }) =>
    rates.map((rate, round) => ({
      ...{ round, subject: subjectWith(way.subject, buffer), values: { rate, cpu: 1e5 / rate } },
    }));
}
