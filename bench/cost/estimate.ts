/** Medians and their intervals: for the host during the run, and those to be expected of another run. */
import { median } from '../statistics.js';

/** A median with its 95 % interval. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Of a normal distribution, 95 % lie within this many standard deviations. */
const SIGMAS = 1.96;

/** The 95 % interval of a median from order statistics (as in the sign test), which assumes no distribution. */
export function orderInterval(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const count = sorted.length;
  const rank = Math.max(0, Math.floor((count - SIGMAS * Math.sqrt(count)) / 2));
  return { low: sorted[rank] ?? NaN, high: sorted[count - 1 - rank] ?? NaN };
}

/** The values of a figure, sweep by sweep, in each block; each block has processes of its own. */
export type Blocks = readonly (readonly number[])[];

/**
 * How much the medians of blocks differ beyond what their sweeps explain: the memory layout of processes is random, and
 * stays fixed for their lifetime. A standard deviation in the figures' own unit; computed over all figures, as there
 * are few blocks.
 */
export function layoutDeviation(figures: readonly Blocks[]): number {
  let variance = 0;
  let freedom = 0;
  for (const blocks of figures.filter(({ length }) => length > 1)) {
    const medians = blocks.map(median);
    const mean = medians.reduce((sum, value) => sum + value, 0) / medians.length;
    const noise = blocks.map(orderInterval).map(({ low, high }) => ((high - low) / (2 * SIGMAS)) ** 2);
    const between = medians.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    variance += between - ((medians.length - 1) * noise.reduce((sum, value) => sum + value, 0)) / noise.length;
    freedom += medians.length - 1;
  }
  return freedom === 0 ? 0 : Math.sqrt(Math.max(0, variance / freedom));
}

/** For the host during these minutes. `layout`: see layoutDeviation. */
export function estimateOf(blocks: Blocks, layout: number): Estimate {
  const values = blocks.flat();
  const middle = median(values);
  const { low, high } = orderInterval(values);
  const half = (SIGMAS * layout) / Math.sqrt(Math.max(1, blocks.length));
  return {
    median: middle,
    low: middle - Math.hypot(middle - low, half),
    high: middle + Math.hypot(high - middle, half),
  };
}

/**
 * A host becomes faster or slower for longer than a run lasts, which a single run cannot detect: a standard deviation,
 * as a share of any figure. Of five runs in 16 minutes on an idle virtual machine of a shared host (30 November 2026),
 * 96 % of the medians were in the others' intervals with it, and 82 % without.
 */
const DRIFT = 0.01;

/**
 * The interval for another run of the same, at 95 %: that run is as uncertain as this one, and its host has drifted
 * too.
 */
export function forAnotherRun({ median: middle, low, high }: Estimate): Estimate {
  const half = (own: number): number => Math.SQRT2 * Math.hypot(own, SIGMAS * DRIFT * middle);
  return { median: middle, low: middle - half(middle - low), high: middle + half(high - middle) };
}

/** Sweep by sweep, of two figures taken in the same sweeps. */
export function differences(of: Blocks, to: Blocks): Blocks {
  return of.map((block, i) => block.map((value, sweep) => value - (to[i]?.[sweep] ?? NaN)));
}
