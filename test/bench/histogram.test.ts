import { describe, expect, test } from 'vitest';

import {
  Histogram,
  mergeHistograms,
  percentileOf,
  PERCENTILES,
  quantileOf,
  type LatencyHistogram,
} from '../../bench/histogram.js';
import { hgrmOf } from '../../bench/percentiles-file.js';

/** The same ones each time: a skewed lot from under a microsecond to a hundred seconds, in milliseconds. */
function durations(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 10 ** (-4 + 9 * (state / 2_147_483_647) ** 3);
  });
}

function histogramOf(milliseconds: readonly number[]): LatencyHistogram {
  const histogram = new Histogram();
  for (const each of milliseconds) histogram.record(each);
  return histogram.summary();
}

const rounds = [1, 2, 3].map((seed) => durations(40_000, seed));
const sorted = rounds.flat().sort((a, b) => a - b);
const merged = mergeHistograms(rounds.map(histogramOf));

test.each([0.0001, 0.001, 0.00999, 0.0525, 1.234, 99, 3000])('%d ms are told within 1 %', (milliseconds) => {
  const histogram = histogramOf(Array.from({ length: 100 }, () => milliseconds));
  expect(Math.abs(quantileOf(histogram, 0.5) / (milliseconds * 1e3) - 1)).toBeLessThan(0.01);
  expect(histogram.max).toBeCloseTo(milliseconds * 1e3, 6);
  expect(histogram.count).toBe(100);
});

test('a histogram is empty when it has been reset', () => {
  const histogram = new Histogram();
  histogram.record(1);
  histogram.reset();
  expect(histogram.summary()).toEqual({ count: 0, max: 0, steps: [] });
});

describe('histograms of rounds put together', () => {
  test.each([0.001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1])('have the quantile %d of all values, to 1 %', (share) => {
    const right = (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN) * 1e3;
    const found = quantileOf(merged, share);
    expect(Math.abs(found / right - 1)).toBeLessThan(0.01);
  });

  test('have the exact maximum, and all values', () => {
    expect(merged.max).toBe((sorted.at(-1) ?? NaN) * 1e3);
    expect(merged.count).toBe(sorted.length);
    expect(merged.steps.reduce((sum, [, count]) => sum + count, 0)).toBe(sorted.length);
  });

  test('are not what the median of the percentiles is: the round with the stall counts', () => {
    const quiet = Array.from({ length: 1000 }, () => 0.1);
    const stalled = [...quiet.slice(60), ...Array.from({ length: 60 }, () => 200)];
    const p99 = PERCENTILES.find(({ name }) => name === 'p99');
    if (!p99) throw new Error('there is a p99');
    expect(percentileOf(mergeHistograms([quiet, stalled, quiet].map(histogramOf)), p99)).toBeGreaterThan(190_000);
  });

  test('are nothing where there are none', () => {
    const nothing = mergeHistograms([]);
    expect(nothing).toEqual({ count: 0, max: 0, steps: [] });
    expect(quantileOf(nothing, 0.99)).toBe(0);
  });
});

test('a percentile is told where ten values lie beyond it', () => {
  for (const percentile of PERCENTILES) {
    const histogram = (count: number): LatencyHistogram => ({ count, max: 1, steps: [[1000, count]] });
    expect(percentile.least * (1 - percentile.share)).toBeCloseTo(10, 6);
    expect(percentileOf(histogram(percentile.least - 1), percentile)).toBeUndefined();
    expect(percentileOf(histogram(percentile.least), percentile)).toBe(1);
  }
});

test('a distribution file reads back as what it was made of', () => {
  const lines = hgrmOf(merged).trimEnd().split('\n');
  expect(lines[0]?.trim().split(/ +/)).toEqual(['Value', 'Percentile', 'TotalCount', '1/(1-Percentile)']);
  // As HdrHistogram's plotter reads it: what is no comment and no head is four numbers, or three of the last line.
  const rows = lines
    .slice(2)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim().split(/ +/).map(Number));
  expect(rows.every((row) => row.every(Number.isFinite))).toBe(true);
  expect(rows.slice(0, -1).every((row) => row.length === 4)).toBe(true);
  const [value, share, total] = rows.at(-1) ?? [];
  expect([share, total, rows.at(-1)?.length]).toEqual([1, sorted.length, 3]);
  expect(Math.abs((value ?? NaN) / merged.max - 1)).toBeLessThan(0.01);
  const p99 = rows.find(([, at = 0]) => at >= 0.99)?.[0] ?? NaN;
  expect(p99).toBeCloseTo(quantileOf(merged, 0.99), 2);
  const comments = lines.filter((line) => line.startsWith('#')).join('\n');
  expect(comments).toMatch(/#\[Mean {4}= +[\d.]+, StdDeviation {3}= +[\d.]+\]/);
  expect(Number(/Total count {4}= +(\d+)\]/.exec(comments)?.[1])).toBe(sorted.length);
});
