import { describe, expect, test } from 'vitest';

import { cellsOfRound, makeSweepPlan, PACES, SweepPacer } from '../bench/tune/plan.js';
import { ASK, decodeReport, encodeReport, requestFor, RequestParser } from '../bench/tune/protocol.js';
import { KIB, MIB } from './support/sweeps.js';

const MEANS = { addonMissing: undefined };

describe('the plan', () => {
  test('of a default sweep has what the issue asks for, and ends in time', () => {
    const plan = makeSweepPlan({ mode: 'default', family: 'unix' }, MEANS);
    expect(plan.subjects).toEqual(['native', 'js', 'file', 'page']);
    expect(plan.buffers[0]).toBe('default');
    expect(plan.buffers[1]).toBe(64 * KIB);
    expect(plan.buffers.at(-1)).toBe(8 * MIB);
    expect(plan.sizes[0]).toBe(KIB);
    expect(plan.sizes.at(-1)).toBe(16 * MIB);
    expect(PACES.default.budget).toBeLessThan(600);
    expect(PACES.quick.budget).toBeLessThan(60);
  });

  test('always has the default, once, and everything in order', () => {
    const choice = { mode: 'quick', family: 'unix', buffers: [MIB, 64 * KIB, MIB], sizes: [MIB, KIB, MIB] } as const;
    expect(makeSweepPlan(choice, MEANS)).toMatchObject({ buffers: ['default', 64 * KIB, MIB], sizes: [KIB, MIB] });
  });

  test('leaves out pages that would be copied, and says so', () => {
    const plan = makeSweepPlan({ mode: 'quick', family: 'unix', sizes: [KIB, 15 * KIB, 16 * KIB] }, MEANS);
    expect(plan.skipped.join()).toContain('page: 1 KiB, 15 KiB left out');
    const pages = cellsOfRound(plan, 0).filter(({ subject }) => subject === 'page');
    expect(new Set(pages.map(({ size }) => size))).toEqual(new Set([16 * KIB]));
    const files = cellsOfRound(plan, 0).filter(({ subject }) => subject === 'file');
    expect(new Set(files.map(({ size }) => size))).toEqual(new Set([KIB, 15 * KIB, 16 * KIB]));
  });

  test('has nothing without the addon, and says why', () => {
    const plan = makeSweepPlan({ mode: 'quick', family: 'unix' }, { addonMissing: new Error('not built\nby npm') });
    expect(plan.subjects).toEqual([]);
    expect(plan.skipped).toContain('js: the addon did not load: not built');
  });

  test('every round has the same cells, compared ones side by side, in another order', () => {
    const plan = makeSweepPlan({ mode: 'default', family: 'unix' }, MEANS);
    const rounds = [0, 1, 2].map((round) => cellsOfRound(plan, round).map((cell) => JSON.stringify(cell)));
    for (const round of rounds) {
      expect(new Set(round).size).toBe(round.length);
      expect(new Set(round)).toEqual(new Set(rounds[0]));
    }
    expect(new Set(rounds.map(([first]) => first)).size).toBe(3);
    const sizes = cellsOfRound(plan, 1).map(({ size }) => size);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });
});

describe('the pace', () => {
  test('spreads the time that is left, and stops where there is none', () => {
    const pacer = new SweepPacer('quick', 100, true, 0);
    const first = pacer.stretch(0);
    expect(first).toBeGreaterThanOrEqual(PACES.quick.shortest);
    expect(first).toBeLessThanOrEqual(PACES.quick.longest);
    // All of them take as they should: the budget is enough, and not much is left of it.
    let now = 0;
    for (let left = 100; left > 0; left--) {
      const seconds = pacer.stretch(now);
      const took = (seconds + 0.1) * 1e3;
      now += took;
      pacer.took(took, seconds);
    }
    expect(now / 1e3).toBeLessThan(PACES.quick.budget);
    expect(pacer.remainingSeconds(now)).toBe(0);
    const slow = new SweepPacer('quick', 100, true, 0);
    slow.took(5_000, 0.1);
    expect(slow.hasTimeFor(5, 5_000)).toBe(true);
    expect(slow.hasTimeFor(20, 5_000)).toBe(false);
    const unbounded = new SweepPacer('quick', 100, false, 0);
    unbounded.took(5_000, 0.1);
    expect(unbounded.hasTimeFor(20, 1e9)).toBe(true);
  });
});

describe('what the processes say to each other', () => {
  test('requests are found however the stream is cut', () => {
    const stream = Buffer.concat([
      requestFor(ASK.response, 5),
      requestFor(ASK.held, 2 ** 31),
      requestFor(ASK.report, 0),
    ]);
    for (let cut = 1; cut <= stream.length; cut++) {
      const found: number[][] = [];
      const parser = new RequestParser((ask, bytes) => found.push([ask, bytes]));
      for (let at = 0; at < stream.length; at += cut) parser.read(stream.subarray(at, at + cut));
      expect(found).toEqual([
        [ASK.response, 5],
        [ASK.held, 2 ** 31],
        [ASK.report, 0],
      ]);
    }
  });

  test('a report comes out as it went in', () => {
    const report = { cpu: 1.5, sent: 2 ** 40, sendBuffer: 425_984, held: NaN };
    expect(decodeReport(encodeReport(report))).toEqual(report);
  });
});
