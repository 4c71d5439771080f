/** Intervals, and the order of slices. */
import { describe, expect, it } from 'vitest';

import { differences, estimateOf, layoutDeviation, orderInterval, type Blocks } from '../../../bench/cost/estimate.js';
import { sweep, type Lane, type SweepOptions } from '../../../bench/cost/sweeps.js';
import { balancedOrders } from '../../../bench/orders.js';

/** Park and Miller's generator: the same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
}

describe('the interval of a median', () => {
  it.each([20, 60, 61])('holds it in about 95 of 100 cases, of %i skewed values', (count) => {
    const next = numbers(count);
    const trials = 2000;
    let held = 0;
    for (let i = 0; i < trials; i++) {
      // Exponential, whose median is ln 2.
      const { low, high } = orderInterval(Array.from({ length: count }, () => -Math.log(next())));
      if (low <= Math.LN2 && Math.LN2 <= high) held++;
    }
    expect(held / trials).toBeGreaterThan(0.93);
    expect(held / trials).toBeLessThan(0.985);
  });

  it('is all that there is of a few values', () => {
    expect(orderInterval([3, 1, 2])).toEqual({ low: 1, high: 3 });
  });

  it('is not moved by a slice that was disturbed', () => {
    const values = Array.from({ length: 60 }, (_, i) => 10 + (i % 7) / 10);
    expect(estimateOf([[...values.slice(1), 1e6]], 0)).toEqual(estimateOf([[...values.slice(1), 20]], 0));
  });
});

describe('what new processes change', () => {
  const blocksOf = (next: () => number, layout: number, noise: number): Blocks =>
    Array.from({ length: 3 }, () => {
      const shift = layout * normal(next);
      return Array.from({ length: 20 }, () => 100 + shift + noise * normal(next));
    });

  it.each([
    [0, 6],
    [3, 6],
    [10, 2],
  ])('is told apart from noise: a deviation of %i in one of %i', (layout, noise) => {
    const next = numbers(7);
    const found = layoutDeviation(Array.from({ length: 200 }, () => blocksOf(next, layout, noise)));
    expect(found).toBeGreaterThan(layout - 1);
    expect(found).toBeLessThan(layout + 1);
  });

  it('widens an interval to both sides', () => {
    const blocks = [[1, 2, 3, 4, 5, 6, 7, 8, 9]];
    const { low, high } = orderInterval([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const widened = estimateOf(blocks, 10);
    expect(widened.median).toBe(5);
    expect(widened.low).toBeLessThan(low - 10);
    expect(widened.high).toBeGreaterThan(high + 10);
  });

  it('is nothing of a single block', () => {
    expect(layoutDeviation([[[1, 2, 3]]])).toBe(0);
  });

  it('leaves what all slices of a sweep share', () => {
    const host = [5, 90, 7, 30];
    const of = [host.map((shift) => shift + 12)];
    expect(differences(of, [host])).toEqual([[12, 12, 12, 12]]);
  });
});

describe('the order of slices', () => {
  it.each([1, 2, 3, 4, 7, 10, 11])(
    'puts each of %i lanes at each place, and behind each other one, equally often',
    (count) => {
      const orders = balancedOrders(count);
      const places = orders.flatMap((order) => order.map((lane, place) => `${String(lane)} at ${String(place)}`));
      const pairs = orders.flatMap((order) =>
        order.slice(1).map((lane, i) => `${String(lane)} behind ${String(order[i])}`),
      );
      for (const [all, kinds] of [[places, count * count] as const, [pairs, count * (count - 1)] as const]) {
        const different = [...new Set(all)];
        expect(different).toHaveLength(kinds);
        for (const one of different) expect(all.filter((other) => other === one)).toHaveLength(all.length / kinds);
      }
    },
  );

  const lanesOf = (asked: string[], fails?: string): Lane[] =>
    ['a', 'b', 'c'].map((name) => ({
      name,
      slice: () => {
        asked.push(name);
        return name === fails ? Promise.reject(new Error('broke')) : Promise.resolve(asked.length);
      },
    }));
  const swept = (lanes: readonly Lane[], options: Partial<SweepOptions>): ReturnType<typeof sweep> =>
    sweep(lanes, {
      ...{ sweeps: 6, from: 0, signal: new AbortController().signal },
      ...{ onSweep: () => undefined, onFailure: () => undefined },
      ...options,
    });

  it('goes on in the next block', async () => {
    const whole: string[] = [];
    const parts: string[] = [];
    await swept(lanesOf(whole), {});
    await swept(lanesOf(parts), { sweeps: 2 });
    await swept(lanesOf(parts), { sweeps: 4, from: 2 });
    expect(parts).toEqual(whole);
    expect(whole).toHaveLength(18);
  });

  it('ends with whole sweeps when it is told to', async () => {
    const abort = new AbortController();
    const asked: string[] = [];
    const lanes = lanesOf(asked).map(({ name, slice }) => ({
      name,
      slice: () => {
        if (asked.length === 7) abort.abort();
        return slice();
      },
    }));
    const values = await swept(lanes, { signal: abort.signal });
    expect([...values.values()].map(({ length }) => length)).toEqual([2, 2, 2]);
  });

  it('goes on without what has failed', async () => {
    const failures: string[] = [];
    const asked: string[] = [];
    const values = await swept(lanesOf(asked, 'b'), {
      onFailure: (lane, error) => failures.push(`${lane}: ${(error as Error).message}`),
    });
    expect(failures).toEqual(['b: broke']);
    expect([...values].map(([lane, own]) => [lane, own.length])).toEqual([
      ['a', 6],
      ['c', 6],
    ]);
    expect(asked.filter((lane) => lane === 'b')).toHaveLength(1);
  });
});
