/** Warm-up, the order of a run, and the climb of a curve, without servers. */
import { describe, expect, test } from 'vitest';

import { climb } from '../bench/cost/curves.js';
import { isHeld } from '../bench/cost/held.js';
import type { CostOptions, Curve, Program, ProgramName, Stack, WorkName } from '../bench/cost/model.js';
import { hopsOf, makePlan, RoundCount, stacksOfRound, worksOfRound } from '../bench/cost/plan.js';
import { warmUp, type WarmUpLimits, type WarmUpWindow } from '../bench/cost/warm-up.js';
import { WORKS } from '../bench/cost/works.js';

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

const stack = (name: string, works: readonly WorkName[], more: Partial<Stack> = {}): Stack => ({
  ...{ name, title: name, language: 'node', hop: undefined, needs: [], works },
  start: () => Promise.reject(new Error('not to be started')),
  ...more,
});

const program = (name: ProgramName, file?: string): [ProgramName, Program] => [
  name,
  { name, file, version: undefined, install: `apt-get install ${name}` },
];
const programs = new Map([program('nginx', '/usr/sbin/nginx'), program('yaws'), program('python3-jinja2', 'jinja2')]);

const options = (stacks: readonly Stack[], more: Partial<CostOptions> = {}): CostOptions => ({
  ...{ stacks, works: undefined, rounds: undefined, quick: false, overloads: false, appMs: undefined },
  ...{ wsgi: undefined, app: undefined, command: 'nearwire cost', signal: new AbortController().signal },
  onProgress: () => undefined,
  onWarning: () => undefined,
  ...more,
});

const ALL: readonly WorkName[] = ['hello', 'json', 'download', 'upload', 'page', 'own'];

describe('the plan', () => {
  test('tells what is missing and what to type', () => {
    const plan = makePlan(options([stack('a', ALL), stack('b', ALL, { needs: ['yaws', 'nginx'] })]), programs);
    expect(plan.stacks.map((entry) => entry.stack.name)).toEqual(['a']);
    expect(plan.missing).toEqual([
      { stack: 'b', title: 'b', reason: expect.stringContaining('not installed: apt-get install') as string },
    ]);
  });

  test('has the works that were asked for, of those that a stack can do', () => {
    const plan = makePlan(options([stack('a', ALL), stack('b', ['hello'])], { works: ['hello', 'upload'] }), programs);
    expect(plan.stacks.map(({ works }) => works.map(({ name }) => name))).toEqual([['hello', 'upload'], ['hello']]);
    const quick = makePlan(options([stack('a', ALL)], { quick: true }), programs);
    expect(quick.works.map(({ name }) => name)).toEqual(['hello']);
  });

  test("has the user's own application alone where that is given", () => {
    const plan = makePlan(
      options([stack('a', ALL), stack('n', ['hello'], { language: 'none' })], { app: '/app.js' }),
      programs,
    );
    expect(plan.stacks.map(({ works }) => works.map(({ name }) => name))).toEqual([['own'], ['hello']]);
  });

  test('begins each round with another stack', () => {
    const plan = makePlan(options(['a', 'b', 'c'].map((name) => stack(name, ['hello']))), programs);
    const orders = [0, 1, 2, 3].map((round) =>
      stacksOfRound(plan, round)
        .map((entry) => entry.stack.name)
        .join(''),
    );
    expect(orders).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  test('has hello world in each round and the others in turn', () => {
    const works = WORKS.filter(({ name }) => name !== 'own');
    const names = [0, 1, 2].map((round) => worksOfRound(works, round).map(({ name }) => name));
    expect(names).toEqual([
      ['hello', 'json', 'download', 'upload'],
      ['hello', 'json', 'download', 'page'],
      ['hello', 'json', 'upload', 'page'],
    ]);
    expect(worksOfRound(works.slice(0, 2), 5).map(({ name }) => name)).toEqual(['hello', 'json']);
  });

  test('has each kind of hop once', () => {
    const hop = { family: 'unix', protocol: 'http', connections: 'close' } as const;
    const stacks = [
      stack('a', ALL, { hop }),
      stack('b', ALL, { hop: { ...hop } }),
      stack('c', ALL),
      stack('d', ALL, { hop: { ...hop, family: 'tcp' } }),
    ];
    expect(hopsOf(makePlan(options(stacks), programs).stacks)).toEqual([hop, { ...hop, family: 'tcp' }]);
  });

  test('has as many rounds as there is time for, and no fewer than tell something', () => {
    const count = (rounds: number | undefined): RoundCount =>
      new RoundCount(makePlan(options([stack('a', ALL)], { rounds }), programs));
    expect(count(undefined).after(1, 60)).toBe(7);
    expect(count(undefined).after(2, 2 * 220)).toBe(4);
    expect(count(undefined).after(1, 1000)).toBe(3);
    expect(count(undefined).after(5, 5000)).toBe(5);
    expect(count(2).after(1, 1e6)).toBe(2);
  });
});

describe('a curve', () => {
  /** Serves up to its capacity, with latency to match. */
  const server =
    (capacity: number) =>
    (rate: number): Promise<Curve['points'][number]> =>
      Promise.resolve({
        offered: rate,
        served: Math.min(rate, capacity),
        p50: 1,
        p99: 2,
        errors: rate > capacity ? 50 : 0,
      });

  test('climbs up to where the stack does not hold, and a step beyond', async () => {
    const curve = await climb('a', { name: 'hello' }, 1000, server(800));
    expect(curve.points.map(({ offered }) => offered)).toEqual([200, 400, 600, 750, 900, 1000]);
    expect(curve).toMatchObject({ stack: 'a', work: 'hello', holds: 750 });
  });

  test('goes on after one step that did not hold', async () => {
    const good = server(1e6);
    const curve = await climb('a', { name: 'hello' }, 1000, async (rate) =>
      rate === 400 ? { ...(await good(rate)), errors: 100 } : good(rate),
    );
    expect(curve.holds).toBe(3000);
  });

  test('does not hold a rate at which a single request fails', async () => {
    const good = server(1e6);
    const curve = await climb('a', { name: 'hello' }, 1000, async (rate) =>
      rate > 600 ? { ...(await good(rate)), errors: 1 } : good(rate),
    );
    expect(curve.holds).toBe(600);
    expect(curve.points.map(isHeld)).toEqual([true, true, true, false, false]);
  });

  test('of a stack that holds nothing tells that', async () => {
    expect((await climb('a', { name: 'hello' }, 1000, server(1))).holds).toBeUndefined();
  });
});
