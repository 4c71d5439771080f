/** How far from each other results are that differ by chance only. All in logarithms: a ratio of 2 and one of 0.5 are as far from 1. */
import type { RatioSummary } from '../statistics.js';

/** Expected range of n values of a normal distribution, in standard deviations (the control charts' d2); n from 2. */
const RANGE_OF = [1.128, 1.693, 2.059, 2.326, 2.534, 2.704];
/** Standard deviation of the median of n such values, in that of one; n from 2. */
const MEDIAN_OF = [0.7071, 0.6698, 0.5461, 0.5356, 0.4634, 0.4587];

/** Standard deviation, from the extremes of `count` values: few values have no better estimate. Undefined of one value. */
export function deviationOf(low: number, high: number, count: number): number | undefined {
  const range = RANGE_OF[Math.min(count, RANGE_OF.length + 1) - 2];
  return range === undefined ? undefined : Math.log(high / low) / range;
}

/** Of the median of a run's rounds, as its rounds show it. */
export function deviationOfMedian({ low, high, rounds }: RatioSummary): number | undefined {
  const one = deviationOf(low, high, rounds);
  const part = MEDIAN_OF[Math.min(rounds, MEDIAN_OF.length + 1) - 2];
  return one === undefined || part === undefined ? undefined : one * part;
}
