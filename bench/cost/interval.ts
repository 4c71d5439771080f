/**
 * The interval in which another run's figure is to be expected: a prediction interval, not a confidence interval of this
 * one's. Two runs are each a median of n rounds; their difference has the variance of both medians, 2 c(n) s^2 / n, where
 * c(n) is how much more a median of n normal values varies than their mean. Student's t with n - 1 degrees of freedom, at
 * 99 %: a run has some thirty figures, and a reader who runs it again looks at all of them.
 *
 * Few rounds tell little of how they vary: with three, t is ten. But the stacks of a run are measured alike on one host,
 * and how a measure varies relative to its level is much the same for all of them. So s is mixed of the rounds' own and of
 * what is usual in the run, as if that came from PRIOR_FREEDOM rounds more; that is the moderated t of Smyth (2004,
 * https://doi.org/10.2202/1544-6115.1027) with a fixed weight. Where a run has too few stacks for that, the rounds stand
 * alone.
 *
 * What is computed of several measures has the errors of all: as far as each moves the result, squared and added, for
 * they are measured apart; degrees of freedom by Welch and Satterthwaite. What all were corrected by is off for all alike:
 * of a ratio it moves nothing.
 *
 * Rounds are spread over the whole run and each starts the stacks anew, so that the luck of a process's memory layout is
 * in s, and what is left of the host's moods. What changes only between runs (another day, another kernel) is not. Outliers
 * widen s, and so the interval: on the safe side.
 */
import { median } from '../statistics.js';
import type { Figure } from './model.js';

export const COVERAGE = 0.99;

/** By degrees of freedom, 1 at first: the quantile 0.995 of Student's t. */
const T_QUANTILES = [
  63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.25, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898,
  2.878, 2.861, 2.845,
];
const T_LIMIT = 2.576;

/** By n, 1 at first: variance of the median of n normal values, times n. The limit is pi / 2. */
const MEDIAN_VARIANCE = [1, 1, 1.346, 1.191, 1.434, 1.289, 1.473, 1.349, 1.495, 1.385];

/** What the other stacks' variation weighs, in degrees of freedom: as much as eleven rounds of its own. */
const PRIOR_FREEDOM = 10;
/** Of all stacks together, at least: fewer say nothing of what is usual. */
const POOLED_FREEDOM = 8;

function tQuantile(freedom: number): number {
  const known = T_QUANTILES[Math.floor(freedom) - 1];
  // Cornish-Fisher's first term, good to 0.2 % from here on.
  return known ?? T_LIMIT + (T_LIMIT ** 3 + T_LIMIT) / (4 * freedom);
}

function medianVariance(n: number): number {
  return MEDIAN_VARIANCE[n - 1] ?? Math.PI / 2;
}

/** What rounds tell of a measure, or of what was computed of several. */
export interface Estimate {
  readonly value: number;
  /** By how much the value is off as a rule: its standard deviation. */
  readonly error: number;
  /** Degrees of freedom of `error`. */
  readonly freedom: number;
  /** By how much it would be off if what all values of the run were corrected by is off as a rule; with its sign. */
  readonly shift: number;
  /** Of the side that has the fewest. */
  readonly rounds: number;
}

/**
 * The median of the values of all rounds; undefined: there are none. `expected` is the standard deviation of a round that
 * the run's other stacks let expect. With one round and without that there is no telling how far off it is.
 */
export function estimateOf(values: readonly number[], expected?: number): Estimate | undefined {
  const n = values.length;
  if (n === 0) return undefined;
  const value = median(values);
  const prior = expected === undefined ? 0 : PRIOR_FREEDOM;
  const freedom = prior + n - 1;
  if (freedom === 0) return { value, error: 0, freedom: Infinity, shift: 0, rounds: n };
  const variance = (prior * (expected ?? 0) ** 2 + (n - 1) * deviation(values) ** 2) / freedom;
  return { value, error: Math.sqrt((variance * medianVariance(n)) / n), freedom, shift: 0, rounds: n };
}

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Computed of measures that were each taken apart and corrected alike; undefined: one of them is missing. */
export function combine<Name extends string>(
  sides: Readonly<Record<Name, Estimate | undefined>>,
  compute: (values: Readonly<Record<Name, number>>) => number,
): Estimate | undefined {
  const names = Object.keys(sides) as Name[];
  const known = names.flatMap((name) => (sides[name] === undefined ? [] : [[name, sides[name]] as const]));
  if (known.length < names.length) return undefined;
  const shifted = (by: 0 | 1): Record<Name, number> =>
    Object.fromEntries(known.map(([name, side]) => [name, side.value + by * side.shift])) as Record<Name, number>;
  const at = shifted(0);
  const value = compute(at);
  let variance = 0;
  let uncertainty = 0;
  for (const [name, side] of known) {
    const square = (compute({ ...at, [name]: side.value + side.error }) - value) ** 2;
    variance += square;
    uncertainty += square ** 2 / side.freedom;
  }
  return {
    value,
    error: Math.sqrt(variance),
    freedom: uncertainty === 0 ? Infinity : variance ** 2 / uncertainty,
    shift: compute(shifted(1)) - value,
    rounds: Math.min(...known.map(([, { rounds }]) => rounds)),
  };
}

export function figureOf({ value, error, freedom, shift, rounds }: Estimate): Figure {
  const half = Math.SQRT2 * Math.hypot(tQuantile(freedom) * error, T_LIMIT * shift);
  return { median: value, low: value - half, high: value + half, rounds };
}

/** Nothing can be said but that it is small: too few rounds, or 0 is within the interval. */
export function isInNoise({ low, high, rounds }: Figure): boolean {
  return rounds < 2 || (low <= 0 && high >= 0);
}

/**
 * How a measure varies between rounds, relative to its level, over all stacks; undefined where there are too few to tell.
 * The median of the stacks' variances, made that of a normal variable's: a stack that was disturbed says nothing of the
 * others.
 */
export function pooledVariation(all: readonly (readonly number[])[]): number | undefined {
  let freedom = 0;
  const variances: number[] = [];
  for (const values of all) {
    if (values.length < 2 || median(values) === 0) continue;
    const own = values.length - 1;
    freedom += own;
    // Wilson and Hilferty: the median of chi-squared, by its degrees of freedom.
    variances.push((deviation(values) / median(values)) ** 2 / (1 - 2 / (9 * own)) ** 3);
  }
  return freedom < POOLED_FREEDOM ? undefined : Math.sqrt(median(variances));
}
