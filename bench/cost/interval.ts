/**
 * The interval in which another run's median is to be expected: a prediction interval, not a confidence interval of
 * this one's. Two runs are each a median of n rounds; their difference has the variance of both medians,
 * 2 c(n) s^2 / n, where c(n) is how much more a median of n normal values varies than their mean. Student's t with n - 1
 * degrees of freedom, at 99 %: a run has some thirty figures, and a reader who runs it again looks at all of them.
 *
 * Rounds are spread over the whole run and each starts the stacks anew, so that the host's moods and the luck of a
 * process's memory layout are in s. What changes only between runs (another day, another kernel) is not. Outliers
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

function tQuantile(freedom: number): number {
  const known = T_QUANTILES[freedom - 1];
  // Cornish-Fisher's first term, good to 0.2 % from here on.
  return known ?? T_LIMIT + (T_LIMIT ** 3 + T_LIMIT) / (4 * freedom);
}

function medianVariance(n: number): number {
  return MEDIAN_VARIANCE[n - 1] ?? Math.PI / 2;
}

/** Of the values of all rounds. With one round there is no telling how it varies: the interval is the value. */
export function figureOf(values: readonly number[]): Figure {
  const middle = median(values);
  const n = values.length;
  if (n < 2) return { median: middle, low: middle, high: middle, rounds: n };
  const half = tQuantile(n - 1) * deviation(values) * Math.sqrt((2 * medianVariance(n)) / n);
  return { median: middle, low: middle - half, high: middle + half, rounds: n };
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Nothing can be said but that it is small: too few rounds, or 0 is within the interval. */
export function isInNoise({ low, high, rounds }: Figure): boolean {
  return rounds < 2 || (low <= 0 && high >= 0);
}

/** The values of a measure by round, where several measures of the same rounds are put together. */
export type Rounds = ReadonlyMap<number, number>;

/** What is computed of several measures, round by round: what disturbs a round disturbs all of its sides. */
export function combineRounds<Name extends string>(
  sides: Readonly<Record<Name, Rounds>>,
  compute: (values: Readonly<Record<Name, number>>) => number,
): Rounds {
  const names = Object.keys(sides) as Name[];
  const [first, ...others] = names;
  const combined = new Map<number, number>();
  if (first === undefined) return combined;
  for (const round of sides[first].keys()) {
    if (!others.every((name) => sides[name].has(round))) continue;
    const values = Object.fromEntries(names.map((name) => [name, sides[name].get(round)])) as Record<Name, number>;
    combined.set(round, compute(values));
  }
  return combined;
}

/** Of the rounds that have it; undefined: none has. */
export function figureOfRounds(rounds: Rounds): Figure | undefined {
  return rounds.size === 0 ? undefined : figureOf([...rounds.values()]);
}
