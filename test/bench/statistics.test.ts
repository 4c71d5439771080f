import { describe, expect, test } from 'vitest';

import { fanin, rtt } from '../../bench/cases/messages.js';
import { formatSpread } from '../../bench/format.js';
import type { BenchCase, MeasureName, RatioResult, Sample, SeriesResult, SubjectName } from '../../bench/model.js';
import { cellsOf, judge, median, ratiosOf, ratioWithinRounds } from '../../bench/statistics.js';
import { SUBJECTS } from '../../bench/subjects.js';

const rounds = (...values: number[]): Map<number, number> => new Map(values.map((value, round) => [round, value]));

test('the median is the middle, or between the two middles', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([10, 9, 100])).toBe(10);
  expect(() => median([])).toThrow(RangeError);
});

describe('a ratio', () => {
  test('is taken within each round, not of the medians', () => {
    // The third round was slow for both. Of the medians it would be 2 / 2.
    expect(ratioWithinRounds(rounds(1, 2, 8), rounds(2, 1, 16))).toEqual({ median: 0.5, low: 0.5, high: 2, rounds: 3 });
  });

  test('leaves out the rounds that one side does not have', () => {
    const baseline = new Map([...rounds(NaN, 1, 3)].slice(1));
    expect(ratioWithinRounds(new Map([[2, 6]]), baseline)).toEqual({ median: 2, low: 2, high: 2, rounds: 1 });
    expect(ratioWithinRounds(rounds(2), baseline)).toBeUndefined();
  });

  test.each<[string, MeasureName, number, number, number]>([
    ['good', 'p99', 0.7, 0.9, 3],
    ['bad', 'p99', 1.1, 1.2, 3],
    ['', 'p99', 0.9, 1.1, 7],
    ['', 'p99', 0.5, 0.5, 1],
    ['good', 'rate', 1.1, 1.2, 3],
  ])('is judged "%s" only if all of at least three rounds agree', (verdict, measure, low, high, count) => {
    const of = { case: 'fanin', params: {}, family: 'unix', subject: 'native', baseline: 'node:net' } as const;
    expect(judge({ ...of, measure, median: low, low, high, rounds: count })).toBe(verdict);
  });
});

/** Of the client and the server. */
const SHARES = {
  busy: { clientShare: 0.99, serverShare: 0.6 },
  free: { clientShare: 0.5, serverShare: 0.99 },
  both: { clientShare: 0.99, serverShare: 0.98 },
  neither: { clientShare: 0.8, serverShare: 0.3 },
};

function resultOf(benchCase: BenchCase, subjects: readonly SubjectName[], samples: readonly Sample[]): SeriesResult {
  return { series: { case: benchCase, params: { bytes: 64 }, family: 'unix', subjects, rounds: 3 }, samples };
}

describe('a series', () => {
  const sample = (subject: SubjectName, round: number, p50: number): Sample => ({
    ...{ round, subject, values: { p50, p99: p50 * 2 }, ...SHARES.busy },
  });
  const result = resultOf(
    rtt,
    ['c', 'native', 'node:net'],
    [sample('c', 0, 5), sample('native', 0, 10), sample('node:net', 0, 20), sample('native', 1, 12)],
  );

  test('becomes a cell for each subject and measure, with a sample a round', () => {
    const cells = cellsOf(result);
    expect(cells).toHaveLength(6);
    expect(cells).toContainEqual({
      ...{ case: 'rtt', params: { bytes: 64 }, family: 'unix', subject: 'native', measure: 'p50', unit: 'us' },
      ...{ better: 'lower', samples: [10, 12], median: 11 },
    });
  });

  test('has a ratio of each subject to each baseline but itself', () => {
    const ratios = ratiosOf(result, SUBJECTS);
    const pairs = ratios.filter(({ measure }) => measure === 'p50').map((entry) => [entry.subject, entry.baseline]);
    expect(pairs).toEqual([
      ['c', 'node:net'],
      ['native', 'node:net'],
      ['native', 'c'],
      ['node:net', 'c'],
    ]);
    expect(ratios.find((entry) => entry.subject === 'native' && entry.baseline === 'node:net')).toMatchObject({
      ...{ median: 0.5, low: 0.5, high: 0.5, rounds: 1 },
    });
  });

  test('is limited by its generator only where that is not the subject itself, and only in what it limits', () => {
    expect(cellsOf(result).some(({ limitedBy }) => limitedBy)).toBe(false);
    const limited = (['busy', 'both', 'neither'] as const).map((shares) => {
      const values = { rate: 1000, cpu: 3, p99: 10 };
      const cells = cellsOf(resultOf(fanin, ['c'], [{ round: 0, subject: 'c', values, ...SHARES[shares] }]));
      return cells.filter(({ limitedBy }) => limitedBy === 'generator').map(({ measure }) => measure);
    });
    expect(limited).toEqual([['rate', 'p99'], [], []]);
  });
});

describe('a ratio of which the load generator held a side back', () => {
  /** Of native to node:net, in three rounds. */
  function ratiosWith(native: 'busy' | 'free', node: 'busy' | 'free'): RatioResult[] {
    const sample = (subject: SubjectName, round: number, shares: 'busy' | 'free', factor: number): Sample => ({
      ...{ round, subject, ...SHARES[shares], values: { rate: 1000 * factor, cpu: 4 / factor, p99: 10 / factor } },
    });
    const samples = [0, 1, 2].flatMap((round) => [
      sample('native', round, native, 2),
      sample('node:net', round, node, 1),
    ]);
    return ratiosOf(resultOf(fanin, ['native', 'node:net'], samples), SUBJECTS);
  }

  test.each([
    ['free', 'free', { rate: undefined, cpu: undefined, p99: undefined }, ['good', 'good', 'good']],
    // The subject could do better, or the baseline could: then the bound leaves no verdict.
    ['busy', 'free', { rate: '>=', cpu: undefined, p99: '<=' }, ['good', 'good', 'good']],
    ['free', 'busy', { rate: '<=', cpu: undefined, p99: '>=' }, ['', 'good', '']],
    ['busy', 'busy', { cpu: undefined }, ['good']],
  ] as const)('is a bound of it, or none: of the %s subject to the %s baseline', (native, node, bounds, verdicts) => {
    const ratios = ratiosWith(native, node);
    expect(Object.fromEntries(ratios.map(({ measure, bound }) => [measure, bound]))).toEqual(bounds);
    expect(ratios.map(judge)).toEqual(verdicts);
  });

  test('says so where it is shown', () => {
    expect(formatSpread({ median: 2, low: 1.5, high: 3, bound: '>=' })).toBe('>= 2.00x (1.50 to 3.00)');
  });
});
