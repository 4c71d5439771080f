import { Page } from 'nearwire';
import { describe, expect, test } from 'vitest';

import { page } from '../../../bench/cases/http.js';
import { makePlan, orderOf } from '../../../bench/plan.js';
import { PACES, sweepOf, type SweepChoice } from '../../../bench/tune/plan.js';
import { KIB, MIB } from '../../support/sweeps.js';

const LIMITS = { mostBuffer: 4 * MIB, somaxconn: 4096 };
const MEANS = { missing: {}, descriptors: 20_000 };

const sweep = (choice: Partial<SweepChoice> = {}, platform: NodeJS.Platform = 'linux'): ReturnType<typeof sweepOf> =>
  sweepOf({ mode: 'default', family: 'unix', ...choice }, LIMITS, platform);
const planOf = (choice: Partial<SweepChoice> = {}): ReturnType<typeof makePlan> =>
  makePlan(sweep(choice).choice, MEANS);

describe('a sweep', () => {
  test('is all buffers with all sizes, in each way, in as many rounds', () => {
    const { series, rounds } = planOf();
    const { sizes, buffers } = PACES.default;
    expect(series.map((entry) => `${entry.case.name} ${String(entry.params['bytes'])}`)).toEqual(
      ['http-same', 'file', 'page'].flatMap((name) => sizes.map((size) => `${name} ${String(size)}`)),
    );
    const native = ['native', 'native 128 KiB', 'native 512 KiB', 'native 2 MiB', 'native 8 MiB'];
    for (const entry of series) {
      const js = entry.case.name === 'http-same' ? native.map((name) => name.replace('native', 'node:net')) : [];
      expect(entry.subjects).toEqual([...native, ...js]);
      expect({ rounds: entry.rounds, family: entry.family }).toEqual({ rounds, family: 'unix' });
    }
    expect(buffers).toHaveLength(native.length - 1);
  });

  test.each(['default', 'quick'] as const)('of mode %s ends in time, where a cell takes 0.7 s', (mode) => {
    const plan = planOf({ mode });
    const cells = plan.series.reduce((sum, series) => sum + orderOf(series, plan, 0).length, 0) * plan.rounds;
    expect(cells * 0.7).toBeLessThan(PACES[mode].budget);
    expect(PACES[mode].budget).toBeLessThan(mode === 'quick' ? 60 : 600);
  });

  test('keeps to what is chosen, in order, beside the default', () => {
    const choice = { ways: ['js', 'file'], sizes: [MIB, KIB, MIB], buffers: [MIB, 64 * KIB, MIB] } as const;
    const { series, rounds } = planOf({ ...choice, family: 'tcp', rounds: 2 });
    const baselines = sweep(choice).choice.lineup?.map(({ name, baseline }) => [name, baseline]);
    expect(baselines).toContainEqual(['node:net 1 MiB', 'node:net']);
    expect(rounds).toBe(2);
    const js = ['node:net', 'node:net 64 KiB', 'node:net 1 MiB'];
    const file = ['native', 'native 64 KiB', 'native 1 MiB'];
    expect(series.map((entry) => [entry.case.name, entry.family, entry.params['bytes'], entry.subjects])).toEqual([
      ...[KIB, MIB].map((bytes) => ['http-same', 'tcp', bytes, js]),
      ...[KIB, MIB].map((bytes) => ['file', 'tcp', bytes, file]),
    ]);
  });

  test('leaves out pages that would be copied, and says so', () => {
    expect(page.leastBytes).toBe(Page.threshold);
    const { series, skipped } = planOf({ sizes: [KIB, 15 * KIB, 16 * KIB] });
    expect(skipped).toEqual(['page: 1 KiB, 15 KiB left out, as it begins at 16 KiB']);
    const sizesOf = (name: string): unknown[] =>
      series.filter((entry) => entry.case.name === name).map(({ params }) => params['bytes']);
    expect(sizesOf('page')).toEqual([16 * KIB]);
    expect(sizesOf('file')).toEqual([KIB, 15 * KIB, 16 * KIB]);
  });

  test('leaves out on macOS what that refuses, and says so', () => {
    const { buffers, choice } = sweep({}, 'darwin');
    expect(buffers).toEqual(['default', 128 * KIB, 512 * KIB, 2 * MIB]);
    expect(choice.notes).toEqual([expect.stringContaining('8 MiB is left out: kern.ipc.maxsockbuf is 4194304')]);
  });
});
