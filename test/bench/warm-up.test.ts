import { describe, expect, test } from 'vitest';

import { warmUp, type WarmUpLimits, type WarmUpWindow } from '../../bench/warm-up.js';

describe('a server is warm', () => {
  const limits = { window: 0.1, least: 0, longest: 1.6 };
  const warm = (costs: readonly number[], more: Partial<WarmUpLimits> = {}): ReturnType<typeof warmUp> => {
    let at = 0;
    const load = (): Promise<WarmUpWindow> =>
      Promise.resolve({ requests: 100, cost: costs[Math.min(at++, costs.length - 1)] ?? 0 });
    return warmUp(load, { ...limits, ...more });
  };

  test('when the last windows cost no less than as many before them', async () => {
    expect(await warm([100])).toEqual({ windows: 8, steady: true });
    // Until the older four have fallen, but for one.
    expect(await warm([200, 150, 120, 110, 101, 100, 99, 101, 100])).toEqual({ windows: 11, steady: true });
  });

  test('not by a window that was dear', async () => {
    expect(await warm([100, 90, 80, 70, 60, 50, 300, 40, 40, 40, 40])).toEqual({ windows: 14, steady: true });
  });

  test('not before so many requests, as a compiler pauses between its stages', async () => {
    const stages = [...Array.from({ length: 9 }, () => 100), 60];
    expect(await warm(stages)).toEqual({ windows: 8, steady: true });
    expect(await warm(stages, { least: 1400 })).toEqual({ windows: 16, steady: true });
  });

  test('or when there is no time for more', async () => {
    const falling = Array.from({ length: 20 }, (_, i) => 100 / 1.1 ** i);
    expect(await warm(falling)).toEqual({ windows: 16, steady: false });
  });
});
