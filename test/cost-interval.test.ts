/** The interval in which another run's median is to be expected: whether it is, by simulation. */
import { describe, expect, test } from 'vitest';

import {
  combineRounds,
  COVERAGE,
  figureOf,
  figureOfRounds,
  isInNoise,
  pooledVariation,
  roundsWith,
} from '../bench/cost/interval.js';
import { median } from '../bench/statistics.js';

/** Mulberry32: the same numbers in each run of the test. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** How rounds may vary. */
const VARIATIONS: readonly { readonly name: string; value(uniform: () => number): number; readonly least: number }[] = [
  { name: 'normal', value: (uniform) => 100 + 3 * normal(uniform), least: COVERAGE - 0.005 },
  { name: 'skewed (log-normal)', value: (uniform) => 100 * Math.exp(0.2 * normal(uniform)), least: COVERAGE - 0.01 },
  {
    name: 'now and then far off',
    value: (uniform) => 100 + 2 * normal(uniform) + (uniform() < 0.1 ? 30 * uniform() : 0),
    least: COVERAGE - 0.02,
  },
];

describe('another run falls into the interval', () => {
  for (const { name, value, least } of VARIATIONS) {
    test.each([3, 5, 7])(`of %i rounds, ${name}`, (rounds) => {
      const uniform = random(rounds);
      const run = (): number[] => Array.from({ length: rounds }, () => value(uniform));
      const RUNS = 20_000;
      let within = 0;
      for (let i = 0; i < RUNS; i++) {
        const { low, high } = figureOf(run());
        const other = median(run());
        if (other >= low && other <= high) within++;
      }
      expect(within / RUNS).toBeGreaterThan(least);
      // Nor is it so wide that it says nothing.
      expect(within / RUNS).toBeLessThan(0.9999);
    });
  }

  test('with what other stacks let expect, though each varies in its own way', () => {
    const uniform = random(42);
    const STACKS = 30;
    const ROUNDS = 3;
    let within = 0;
    let runs = 0;
    const widths = { alone: [] as number[], pooled: [] as number[] };
    for (let i = 0; i < 500; i++) {
      // Half to twice the usual variation.
      const stacks = Array.from({ length: STACKS }, () => ({
        level: 10 + 990 * uniform(),
        cv: 0.02 * 2 ** (2 * uniform() - 1),
      }));
      const run = (): number[][] =>
        stacks.map(({ level, cv }) => Array.from({ length: ROUNDS }, () => level * (1 + cv * normal(uniform))));
      const [one, other] = [run(), run()];
      const variation = pooledVariation(one.map((values) => new Map(values.entries())));
      for (const [at, values] of one.entries()) {
        const { low, high } = figureOf(values, (variation ?? NaN) * median(values));
        const again = median(other[at] ?? []);
        if (again >= low && again <= high) within++;
        runs++;
        widths.pooled.push((high - low) / median(values));
        const alone = figureOf(values);
        widths.alone.push((alone.high - alone.low) / median(values));
      }
    }
    expect(within / runs).toBeGreaterThan(COVERAGE - 0.01);
    expect(median(widths.pooled)).toBeLessThan(median(widths.alone) / 2);
  });

  test('and more rounds make it narrower', () => {
    const uniform = random(1);
    const width = (rounds: number): number => {
      const widths = Array.from({ length: 2000 }, () => {
        const { low, high } = figureOf(Array.from({ length: rounds }, () => 100 + normal(uniform)));
        return high - low;
      });
      return median(widths);
    };
    expect(width(5)).toBeLessThan(width(3) / 2);
    expect(width(9)).toBeLessThan(width(5));
    expect(width(40)).toBeLessThan(width(9));
  });
});

test('a figure is the median, in the middle of its interval', () => {
  const { median: middle, low, high, rounds } = figureOf([12, 10, 11]);
  expect({ middle, rounds }).toEqual({ middle: 11, rounds: 3 });
  expect(high - 11).toBeCloseTo(11 - low, 9);
  // t(2, 0.995) x s x sqrt(2 x 1.346 / 3)
  expect(high - 11).toBeCloseTo(9.925 * Math.sqrt((2 * 1.346) / 3), 2);
});

test('few stacks tell nothing of what is usual', () => {
  const rounds = new Map([10, 11, 12].entries());
  expect(pooledVariation([rounds, rounds, rounds])).toBeUndefined();
  // Of each 1 / 11; half of all samples of three show less than (8 / 9) ** 1.5 of what there is.
  const usual = 1 / 11 / (8 / 9) ** 1.5;
  expect(pooledVariation([rounds, rounds, rounds, rounds])).toBeCloseTo(usual, 9);
});

test('a stack that was disturbed does not change what is usual', () => {
  const rounds = new Map([10, 11, 12].entries());
  const disturbed = new Map([10, 11, 200].entries());
  const alike = [rounds, rounds, rounds, rounds];
  expect(pooledVariation([...alike, disturbed])).toBe(pooledVariation(alike));
});

test('what is expected of the sides is expected of what is computed of them', () => {
  const a = roundsWith(new Map([100, 100].entries()), 3);
  const b = roundsWith(new Map([50, 50].entries()), 4);
  expect(combineRounds({ a, b }, (side) => side.a - side.b).expected).toBeCloseTo(5, 9);
  expect(combineRounds({ a, b }, (side) => side.a / side.b).expected).toBeCloseTo(Math.hypot(3 / 50, 2 - 100 / 54), 9);
  expect(combineRounds({ a, b: new Map([[0, 1]]) }, (side) => side.a - side.b).expected).toBeUndefined();
});

test('one round has no interval, and is in the noise', () => {
  expect(figureOf([7])).toEqual({ median: 7, low: 7, high: 7, rounds: 1 });
  expect(isInNoise(figureOf([7]))).toBe(true);
});

test('what may be nothing is in the noise', () => {
  expect(isInNoise({ median: 1, low: -1, high: 3, rounds: 5 })).toBe(true);
  expect(isInNoise({ median: 1, low: 0.1, high: 3, rounds: 5 })).toBe(false);
  expect(isInNoise({ median: -1, low: -3, high: -0.1, rounds: 5 })).toBe(false);
});

test('a difference is taken round by round, so that what disturbs a round disturbs none', () => {
  const a = new Map([
    [0, 10],
    [1, 110],
    [2, 11],
  ]);
  const b = new Map([
    [0, 8],
    [1, 108],
    [3, 5],
  ]);
  const rounds = combineRounds({ a, b }, (side) => side.a - side.b);
  expect([...rounds]).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect(figureOfRounds(rounds)).toEqual({ median: 2, low: 2, high: 2, rounds: 2 });
  expect(figureOfRounds(combineRounds({ a, b: new Map<number, number>() }, (side) => side.a - side.b))).toBeUndefined();
});
