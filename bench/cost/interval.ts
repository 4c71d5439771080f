/**
 * The interval in which another run's median is to be expected: a prediction interval, not a confidence interval of
 * this one's. Two runs are each a median of n rounds; their difference has the variance of both medians,
 * 2 c(n) s^2 / n, where c(n) is how much more a median of n normal values varies than their mean. Student's t with n - 1
 * degrees of freedom, at 99 %: a run has some thirty figures, and a reader who runs it again looks at all of them.
 *
 * Few rounds tell little of how they vary: with three, t is ten. But the stacks of a run are measured alike on one host,
 * and how a measure varies relative to its level is much the same for all of them. So s is mixed of the rounds' own and of
 * what all stacks of the run show ("deviation"), as if that came from PRIOR_FREEDOM rounds more; that is the moderated
 * t of Smyth (2004, https://doi.org/10.2202/1544-6115.1027) with a fixed weight. Where a run has too few stacks for that,
 * the rounds stand alone.
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

/** What the other stacks' variation weighs, in degrees of freedom: as much as five rounds of its own. */
const PRIOR_FREEDOM = 4;
/** Of all stacks together, at least: fewer say nothing of what is usual. */
const POOLED_FREEDOM = 8;

function tQuantile(freedom: number): number {
  const known = T_QUANTILES[freedom - 1];
  // Cornish-Fisher's first term, good to 0.2 % from here on.
  return known ?? T_LIMIT + (T_LIMIT ** 3 + T_LIMIT) / (4 * freedom);
}

function medianVariance(n: number): number {
  return MEDIAN_VARIANCE[n - 1] ?? Math.PI / 2;
}

/**
 * Of the values of all rounds. `expected` is the standard deviation that the run's other stacks let expect. With one round
 * there is no telling how it varies: the interval is the value.
 */
export function figureOf(values: readonly number[], expected?: number): Figure {
  const middle = median(values);
  const n = values.length;
  if (n < 2) return { median: middle, low: middle, high: middle, rounds: n };
  const prior = expected === undefined ? 0 : PRIOR_FREEDOM;
  const freedom = prior + n - 1;
  const s = Math.sqrt((prior * (expected ?? 0) ** 2 + (n - 1) * deviation(values) ** 2) / freedom);
  const half = tQuantile(freedom) * s * Math.sqrt((2 * medianVariance(n)) / n);
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
export interface Rounds extends ReadonlyMap<number, number> {
  /** The standard deviation that is to be expected of them, by what the run's other stacks show. */
  readonly expected?: number | undefined;
}

export function roundsWith(values: ReadonlyMap<number, number>, expected: number | undefined): Rounds {
  return Object.assign(new Map(values), { expected });
}

/**
 * How a measure varies, relative to its level, over all stacks; undefined where there are too few to tell. The median of
 * the stacks' variances, made that of a normal variable's: a stack that was disturbed says nothing of the others.
 */
export function pooledVariation(all: readonly ReadonlyMap<number, number>[]): number | undefined {
  let freedom = 0;
  const variances: number[] = [];
  for (const rounds of all) {
    const values = [...rounds.values()];
    if (values.length < 2 || median(values) === 0) continue;
    const own = values.length - 1;
    freedom += own;
    // Wilson and Hilferty: the median of chi-squared, by its degrees of freedom.
    variances.push((deviation(values) / median(values)) ** 2 / (1 - 2 / (9 * own)) ** 3);
  }
  return freedom < POOLED_FREEDOM ? undefined : Math.sqrt(median(variances));
}

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
  return roundsWith(combined, expectedOf(sides, compute));
}

/** By how much the result varies if each side varies as expected, independently of the others. */
function expectedOf<Name extends string>(
  sides: Readonly<Record<Name, Rounds>>,
  compute: (values: Readonly<Record<Name, number>>) => number,
): number | undefined {
  const names = Object.keys(sides) as Name[];
  if (names.some((name) => sides[name].expected === undefined || sides[name].size === 0)) return undefined;
  const at = Object.fromEntries(names.map((name) => [name, median([...sides[name].values()])])) as Record<Name, number>;
  const squares = names.map((name) => {
    const step = sides[name].expected ?? 0;
    return (compute({ ...at, [name]: at[name] + step }) - compute(at)) ** 2;
  });
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

/** Of the rounds that have it; undefined: none has. */
export function figureOfRounds(rounds: Rounds): Figure | undefined {
  return rounds.size === 0 ? undefined : figureOf([...rounds.values()], rounds.expected);
}
