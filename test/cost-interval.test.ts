/** The interval in which another run's median is to be expected: whether it is, by simulation. */
import { describe, expect, test } from 'vitest';

import {
  combine,
  COVERAGE,
  estimateOf,
  figureOf,
  isInNoise,
  pooledVariation,
  type Estimate,
} from '../bench/cost/interval.js';
import type { Figure } from '../bench/cost/model.js';
import { median } from '../bench/statistics.js';
import { normal, random } from './support/random.js';

function estimate(values: readonly number[], expected?: number): Estimate {
  const found = estimateOf(values, expected);
  if (!found) throw new Error('of no rounds');
  return found;
}

const figure = (values: readonly number[], expected?: number): Figure => figureOf(estimate(values, expected));

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
        const { low, high } = figure(run());
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
      const variation = pooledVariation(one);
      for (const [at, values] of one.entries()) {
        const { low, high } = figure(values, (variation ?? NaN) * median(values));
        const again = median(other[at] ?? []);
        if (again >= low && again <= high) within++;
        runs++;
        widths.pooled.push((high - low) / median(values));
        const alone = figure(values);
        widths.alone.push((alone.high - alone.low) / median(values));
      }
    }
    expect(within / runs).toBeGreaterThan(COVERAGE - 0.01);
    expect(median(widths.pooled)).toBeLessThan(median(widths.alone) / 2);
  });

  test.each(['difference', 'ratio'] as const)('with what is computed of two measures, their %s', (how) => {
    const uniform = random(how.length);
    const compute = ({ a, b }: { a: number; b: number }): number => (how === 'ratio' ? a / b : a - b);
    const side = (level: number): Estimate =>
      estimate(
        Array.from({ length: 5 }, () => level * (1 + 0.05 * normal(uniform))),
        level * 0.05,
      );
    const run = (): Estimate | undefined => combine({ a: side(100), b: side(80) }, compute);
    const RUNS = 20_000;
    let within = 0;
    for (let i = 0; i < RUNS; i++) {
      const [one, other] = [run(), run()];
      if (!one || !other) throw new Error('nothing computed');
      const { low, high } = figureOf(one);
      if (other.value >= low && other.value <= high) within++;
    }
    expect(within / RUNS).toBeGreaterThan(COVERAGE - 0.01);
    expect(within / RUNS).toBeLessThan(0.9999);
  });

  test('and more rounds make it narrower', () => {
    const uniform = random(1);
    const width = (rounds: number): number => {
      const widths = Array.from({ length: 2000 }, () => {
        const { low, high } = figure(Array.from({ length: rounds }, () => 100 + normal(uniform)));
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
  const { median: middle, low, high, rounds } = figure([12, 10, 11]);
  expect({ middle, rounds }).toEqual({ middle: 11, rounds: 3 });
  expect(high - 11).toBeCloseTo(11 - low, 9);
  // t(2, 0.995) x s x sqrt(2 x 1.346 / 3)
  expect(high - 11).toBeCloseTo(9.925 * Math.sqrt((2 * 1.346) / 3), 2);
});

test('few stacks tell nothing of what is usual', () => {
  const rounds = [10, 11, 12];
  expect(pooledVariation([rounds, rounds, rounds])).toBeUndefined();
  // Of each 1 / 11; half of all samples of three show less than (8 / 9) ** 1.5 of what there is.
  const usual = 1 / 11 / (8 / 9) ** 1.5;
  expect(pooledVariation([rounds, rounds, rounds, rounds])).toBeCloseTo(usual, 9);
});

test('a stack that was disturbed does not change what is usual', () => {
  const rounds = [10, 11, 12];
  const alike = [rounds, rounds, rounds, rounds];
  expect(pooledVariation([...alike, [10, 11, 200]])).toBe(pooledVariation(alike));
});

test('what is computed of several sides has the errors of all', () => {
  const a: Estimate = { value: 100, error: 3, freedom: 4, shift: 0, rounds: 5 };
  const b: Estimate = { value: 50, error: 4, freedom: 4, shift: 0, rounds: 3 };
  const difference = combine({ a, b }, (side) => side.a - side.b);
  expect(difference).toMatchObject({ value: 50, rounds: 3 });
  expect(difference?.error).toBeCloseTo(5, 9);
  // Welch and Satterthwaite: 5 ** 4 / (3 ** 4 / 4 + 4 ** 4 / 4)
  expect(difference?.freedom).toBeCloseTo(625 / ((81 + 256) / 4), 9);
  expect(combine({ a, b }, (side) => side.a / side.b)?.error).toBeCloseTo(Math.hypot(3 / 50, 2 - 100 / 54), 9);
  expect(combine({ a, b: undefined }, (side) => side.a - side.b)).toBeUndefined();
});

test('what is known exactly adds nothing to be off by', () => {
  const a: Estimate = { value: 100, error: 3, freedom: 4, shift: 0, rounds: 5 };
  const none: Estimate = { value: 0, error: 0, freedom: Infinity, shift: 0, rounds: 5 };
  expect(combine({ a, none }, (side) => side.a - side.none)).toEqual(a);
});

test('what all were corrected by moves a difference, and no ratio', () => {
  const a: Estimate = { value: 100, error: 0, freedom: Infinity, shift: -10, rounds: 5 };
  const b: Estimate = { value: 50, error: 0, freedom: Infinity, shift: -5, rounds: 5 };
  expect(combine({ a, b }, (side) => side.a - side.b)?.shift).toBeCloseTo(-5, 9);
  expect(combine({ a, b }, (side) => side.a / side.b)?.shift).toBeCloseTo(0, 9);
  const { low, high } = figureOf(a);
  // As far off as in 99 of 100 runs, in this run and in the other.
  expect(high - 100).toBeCloseTo(2.576 * Math.SQRT2 * 10, 9);
  expect(100 - low).toBeCloseTo(high - 100, 9);
});

test('one round has no interval, and is in the noise', () => {
  expect(figure([7])).toEqual({ median: 7, low: 7, high: 7, rounds: 1 });
  expect(isInNoise(figure([7]))).toBe(true);
});

test('no rounds, no figure', () => {
  expect(estimateOf([])).toBeUndefined();
});

test('what may be nothing is in the noise', () => {
  expect(isInNoise({ median: 1, low: -1, high: 3, rounds: 5 })).toBe(true);
  expect(isInNoise({ median: 1, low: 0.1, high: 3, rounds: 5 })).toBe(false);
  expect(isInNoise({ median: -1, low: -3, high: -0.1, rounds: 5 })).toBe(false);
});
