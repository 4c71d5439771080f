/** From samples to the cells of a result. */
import { median, ratioWithinRounds } from '../statistics.js';
import {
  MEASURES,
  type BufferChoice,
  type CellResult,
  type Figure,
  type Measure,
  type MeasureName,
  type Sample,
  type SweepCell,
} from './model.js';
import type { SweepPlan } from './plan.js';

/** "Memory at stake" is told for so many connections. */
const CONNECTIONS_AT_STAKE = 1000;

/** Where the kernel accounts for its own overhead too, and SO_SNDBUF reads back as twice what was set. */
const DOUBLING: readonly NodeJS.Platform[] = ['linux'];

export function cellsOf(samples: readonly Sample[], plan: SweepPlan, platform: NodeJS.Platform): CellResult[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const group = groups.get(keyOf(sample));
    if (group) group.push(sample);
    else groups.set(keyOf(sample), [sample]);
  }
  const cells: CellResult[] = [];
  for (const subject of plan.subjects) {
    for (const size of plan.sizes) {
      const baseline = groups.get(keyOf({ subject, size, buffer: 'default' })) ?? [];
      for (const buffer of plan.buffers) {
        const group = groups.get(keyOf({ subject, size, buffer }));
        if (group) cells.push(cellOf({ subject, size, buffer }, group, baseline, platform));
      }
    }
  }
  return cells;
}

function keyOf({ subject, size, buffer }: SweepCell): string {
  return `${subject} ${String(size)} ${String(buffer)}`;
}

function cellOf(
  cell: SweepCell,
  samples: readonly Sample[],
  baseline: readonly Sample[],
  platform: NodeJS.Platform,
): CellResult {
  const set = medianSize(samples.map((sample) => sample.set));
  const effective = medianSize(samples.map((sample) => sample.effective));
  return {
    ...cell,
    rounds: samples.map(({ round }) => round),
    set,
    effective,
    clamped: isClamped(cell.buffer, set, platform),
    memory: effective * CONNECTIONS_AT_STAKE,
    measures: Object.fromEntries(MEASURES.map((measure) => [measure.name, figureOf(samples, measure)])) as Record<
      MeasureName,
      Figure
    >,
    relative: ratioWithinRounds(ratesByRound(samples), ratesByRound(baseline)) ?? null,
  };
}

function figureOf(samples: readonly Sample[], { name, unit, better }: Measure): Figure {
  const values = samples.map((sample) => sample.values[name]);
  return { unit, better, samples: values, median: median(values) };
}

function ratesByRound(samples: readonly Sample[]): Map<number, number> {
  return new Map(samples.map(({ round, values }) => [round, values.rate]));
}

/** A size that was read back: a transport that grows it may be a step further in one round than in another. */
function medianSize(sizes: readonly number[]): number {
  return Math.round(median(sizes));
}

function isClamped(buffer: BufferChoice, set: number, platform: NodeJS.Platform): boolean {
  if (buffer === 'default') return false;
  return set < (DOUBLING.includes(platform) ? 2 * buffer : buffer);
}

/** A cell's values of one measure, by their round. */
export function valuesByRound({ rounds, measures }: CellResult, measure: MeasureName): Map<number, number> {
  const { samples } = measures[measure];
  return new Map(rounds.map((round, index) => [round, samples[index] ?? NaN]));
}
