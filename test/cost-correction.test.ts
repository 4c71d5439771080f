/** What the host's speed does to measures, learnt and taken out. */
import { describe, expect, test } from 'vitest';

import {
  atUsualSpeed,
  correctionOf,
  levelOf,
  NO_CORRECTION,
  shiftOf,
  type SpeedSeries,
} from '../bench/cost/correction.js';
import { HostSpeed } from '../bench/cost/host-speed.js';
import { rowsOf } from '../bench/cost/samples.js';
import { takeSlices } from '../bench/cost/slices.js';
import { MadeUp, row } from './support/cost-samples.js';
import { normal, random } from './support/random.js';
import { requireOrSkip } from './support/requirements.js';

const BEST = 500;

/** Stacks of different levels on a host whose neighbours take up to half of it. */
function disturbed(exponent: number, noise: number, { stacks = 20, rounds = 5, seed = 1 } = {}): SpeedSeries[] {
  const uniform = random(seed);
  return Array.from({ length: stacks }, (_, stack) =>
    Array.from({ length: rounds }, () => {
      const hostSpeed = BEST * (0.5 + 0.5 * uniform());
      const value = (10 + stack) * (hostSpeed / BEST) ** exponent * (1 + noise * normal(uniform));
      return { value, hostSpeed };
    }),
  );
}

describe('the exponent', () => {
  test.each([-0.6, -1, -0.2])('of times and CPU is found, %d', (exponent) => {
    const { exponent: found, error } = correctionOf(disturbed(exponent, 0.05), -1);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(0.05);
    expect(Math.abs(found - exponent)).toBeLessThan(3 * error);
  });

  test('of rates is positive', () => {
    expect(correctionOf(disturbed(0.8, 0.05), 1).exponent).toBeCloseTo(0.8, 1);
  });

  test('is as far off as it says', () => {
    const RUNS = 300;
    const within = Array.from({ length: RUNS }, (_, seed) => {
      const { exponent, error } = correctionOf(disturbed(-0.6, 0.1, { seed: seed + 1 }), -1);
      return Math.abs(exponent + 0.6) < 2 * error;
    });
    expect(within.filter(Boolean).length / RUNS).toBeGreaterThan(0.92);
  });

  test('is 0 where too little is known, where the host was steady, and where a slow host would make it better', () => {
    expect(correctionOf(disturbed(-0.6, 0.05, { stacks: 2, rounds: 4 }), -1)).toEqual(NO_CORRECTION);
    const steady = disturbed(-0.6, 0.05).map((series) => series.map(({ value }) => ({ value, hostSpeed: BEST })));
    expect(correctionOf(steady, -1)).toEqual(NO_CORRECTION);
    expect(correctionOf(disturbed(0.6, 0.05), -1)).toEqual(NO_CORRECTION);
    expect(correctionOf([], -1)).toEqual(NO_CORRECTION);
  });
});

test('the level of a host is the speed of half of the run, and how it spreads', () => {
  const { usual, spread } = levelOf([BEST / 2, BEST, BEST, BEST, 0]);
  expect(usual).toBe(BEST);
  expect(spread).toBeCloseTo(Math.LN2 / 2, 9);
  expect(levelOf([])).toEqual({ usual: 0, spread: 0 });
});

test('a value is brought to the usual speed, and another run may find another one', () => {
  const host = { usual: BEST, spread: 0.1 };
  expect(atUsualSpeed(100, BEST / 2, host, { exponent: -1, error: 0 })).toBeCloseTo(50, 9);
  expect(atUsualSpeed(100, BEST, host, { exponent: -1, error: 0.1 })).toBe(100);
  expect(atUsualSpeed(100, BEST / 2, host, NO_CORRECTION)).toBe(100);
  const series = [BEST / 2, BEST].map((hostSpeed) => ({ value: 100, hostSpeed }));
  const off = Math.hypot(0.05 * Math.LN2, 0.1);
  expect(shiftOf(series, host, { exponent: -1, error: 0.1 })).toBeCloseTo(-off, 9);
  // Where a slow host makes one less, the other is more.
  expect(shiftOf(series, host, { exponent: 1, error: 0.1 })).toBeCloseTo(off, 9);
  expect(shiftOf(series, host, NO_CORRECTION)).toBeCloseTo(0, 9);
});

test('two runs on a disturbed host agree, and what was disturbed is found', () => {
  const run = (seed: number): MadeUp => {
    const uniform = random(seed);
    const made = new MadeUp(5);
    for (let i = 0; i < 6; i++) {
      made.stack(row(`stack-${String(i)}`, 'node'), 'hello', () => {
        const hostSpeed = 500 * (1 - 0.5 * uniform());
        const slowed = (375 / hostSpeed) ** 0.6 * (1 + 0.02 * normal(uniform));
        return { time: (50 + 10 * i) * slowed, app: { user: 10 * slowed, system: 5 * slowed }, hostSpeed };
      });
    }
    return made;
  };
  const [one, other] = [run(1), run(2)].map((made) => rowsOf(made.samples()));
  for (const [at, { latency, cpu }] of (one ?? []).entries()) {
    const again = other?.[at];
    expect(Math.abs(latency.median / (50 + 10 * at) - 1)).toBeLessThan(0.1);
    expect(again?.latency.median).toBeGreaterThan(latency.low);
    expect(again?.latency.median).toBeLessThan(latency.high);
    expect(again?.cpu.app?.all.median).toBeGreaterThan(cpu.app?.all.low ?? NaN);
    expect(again?.cpu.app?.all.median).toBeLessThan(cpu.app?.all.high ?? NaN);
  }
});

test('slices are taken between looks at the host', async () => {
  const order: string[] = [];
  const host = {
    look: () => {
      order.push('look');
      return Promise.resolve(order.length);
    },
  };
  const taken = await takeSlices(host, 2, () => {
    order.push('slice');
    return Promise.resolve(order.length);
  });
  expect(order).toEqual(['look', 'slice', 'look', 'slice', 'look']);
  expect(taken).toEqual({ values: [2, 4], hostSpeed: (1 + 3 + 5) / 3 });
});

const floor = requireOrSkip('floor');
test.skipIf(floor === undefined)('the plain C program tells how fast the processors are', async () => {
  const host = HostSpeed.start(floor ?? '', new AbortController().signal);
  try {
    const looks = [await host.look(), await host.look(), await host.look()];
    expect(Math.min(...looks)).toBeGreaterThan(0);
  } finally {
    await host.stop();
    await host.stop();
  }
});
