import { describe, expect, test } from 'vitest';

import { fanin } from '../bench/cases/messages.js';
import { rtt } from '../bench/cases/messages.js';
import { formatSpread } from '../bench/format.js';
import type { MeasureName, RatioResult, Sample, Series, SeriesResult, SubjectName } from '../bench/model.js';
import { cellsOf, judge, median, ratiosOf, ratioWithinRounds } from '../bench/statistics.js';
import { SUBJECTS } from '../bench/subjects.js';
import { Histogram } from '../bench/work/histogram.js';

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
    const subject = new Map([
      [0, 2],
      [2, 6],
    ]);
    const baseline = new Map([
      [1, 1],
      [2, 3],
    ]);
    expect(ratioWithinRounds(subject, baseline)).toEqual({ median: 2, low: 2, high: 2, rounds: 1 });
    expect(ratioWithinRounds(subject, new Map([[1, 1]]))).toBeUndefined();
  });

  test('is judged only if all of at least three rounds agree', () => {
    const verdict = (low: number, high: number, count: number, measure: MeasureName = 'p99'): string =>
      judge({
        ...{ case: 'fanin', params: {}, family: 'unix', measure, subject: 'native', baseline: 'node:net' },
        ...{ median: low, low, high, rounds: count },
      });
    expect(verdict(0.7, 0.9, 3)).toBe('good');
    expect(verdict(1.1, 1.2, 3)).toBe('bad');
    expect(verdict(0.9, 1.1, 7)).toBe('');
    expect(verdict(0.5, 0.5, 1)).toBe('');
    expect(verdict(1.1, 1.2, 3, 'rate')).toBe('good');
  });
});

describe('a series', () => {
  const sample = (subject: SubjectName, round: number, p50: number): Sample => ({
    round,
    subject,
    values: { p50, p99: p50 * 2 },
    clientShare: 0.99,
    serverShare: 0.5,
  });
  const series: Series = {
    case: rtt,
    params: { bytes: 64 },
    family: 'unix',
    subjects: ['c', 'native', 'node:net'],
    rounds: 2,
  };
  const result: SeriesResult = {
    series,
    samples: [sample('c', 0, 5), sample('native', 0, 10), sample('node:net', 0, 20), sample('native', 1, 12)],
  };

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
    const values = { rate: 1000, cpu: 3, p99: 10 };
    const faninOf = (clientShare: number, serverShare: number): string[] =>
      cellsOf({
        series: { case: fanin, params: { connections: 64 }, family: 'unix', subjects: ['c'], rounds: 1 },
        samples: [{ round: 0, subject: 'c', values, clientShare, serverShare }],
      })
        .filter(({ limitedBy }) => limitedBy === 'generator')
        .map(({ measure }) => measure);
    expect(faninOf(0.99, 0.6)).toEqual(['rate', 'p99']);
    expect(faninOf(0.99, 0.98)).toEqual([]);
    expect(faninOf(0.8, 0.3)).toEqual([]);
  });
});

describe('a ratio of which the load generator held a side back', () => {
  const shares = { busy: { clientShare: 0.99, serverShare: 0.6 }, free: { clientShare: 0.5, serverShare: 0.99 } };

  /** Of native to node:net, in three rounds. */
  function ratiosWith(native: keyof typeof shares, node: keyof typeof shares): RatioResult[] {
    const sample = (subject: SubjectName, round: number, of: keyof typeof shares, factor: number): Sample => ({
      ...{ round, subject, ...shares[of] },
      values: { rate: 1000 * factor, cpu: 4 / factor, p99: 10 / factor },
    });
    const samples = [0, 1, 2].flatMap((round) => [
      sample('native', round, native, 2),
      sample('node:net', round, node, 1),
    ]);
    const series: Series = {
      ...{ case: fanin, params: {}, family: 'unix', subjects: ['native', 'node:net'], rounds: 3 },
    };
    return ratiosOf({ series, samples }, SUBJECTS);
  }
  const boundsOf = (ratios: readonly RatioResult[]): unknown =>
    Object.fromEntries(ratios.map(({ measure, bound }) => [measure, bound]));

  test('is a bound of it: the subject could do better, or the baseline could', () => {
    expect(boundsOf(ratiosWith('free', 'free'))).toEqual({ rate: undefined, cpu: undefined, p99: undefined });
    expect(boundsOf(ratiosWith('busy', 'free'))).toEqual({ rate: '>=', cpu: undefined, p99: '<=' });
    expect(boundsOf(ratiosWith('free', 'busy'))).toEqual({ rate: '<=', cpu: undefined, p99: '>=' });
  });

  test('is none where both were held back', () => {
    expect(boundsOf(ratiosWith('busy', 'busy'))).toEqual({ cpu: undefined });
  });

  test('is judged only if the bound leaves the verdict', () => {
    // rate, cpu, p99.
    expect(ratiosWith('busy', 'free').map(judge)).toEqual(['good', 'good', 'good']);
    expect(ratiosWith('free', 'busy').map(judge)).toEqual(['', 'good', '']);
    expect(formatSpread({ median: 2, low: 1.5, high: 3, bound: '>=' })).toBe('>= 2.00x (1.50 to 3.00)');
  });
});

describe('the latency histogram', () => {
  test('tells quantiles within 1 %, from 100 ns to seconds', () => {
    for (const milliseconds of [0.0001, 0.001, 0.00999, 0.0525, 1.234, 99, 3000]) {
      const histogram = new Histogram();
      for (let i = 0; i < 100; i++) histogram.record(milliseconds);
      const { p50, p999, max, count } = histogram.summary();
      expect(Math.abs(p50 / (milliseconds * 1e3) - 1)).toBeLessThan(0.01);
      expect(p999).toBe(p50);
      expect(max).toBeCloseTo(milliseconds * 1e3, 6);
      expect(count).toBe(100);
    }
  });

  test('keeps ranks apart', () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 1000; i++) histogram.record(i / 1e3);
    const { p50, p90, p99 } = histogram.summary();
    for (const [found, expected] of [
      [p50, 500],
      [p90, 900],
      [p99, 990],
    ] as const) {
      expect(Math.abs(found / expected - 1)).toBeLessThan(0.01);
    }
    histogram.reset();
    expect(histogram.summary()).toMatchObject({ count: 0, p50: 0, max: 0 });
  });
});
