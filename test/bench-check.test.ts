import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { compare, isRecordedMachine, type Comparison, type Verdict } from '../bench/baseline/compare.js';
import { keyOf, measureOf, type Baseline, type RecordedMode } from '../bench/baseline/model.js';
import { record } from '../bench/baseline/record.js';
import { deviationOf, deviationOfMedian } from '../bench/baseline/spread.js';
import { inspectHost } from '../bench/host.js';
import type { JsonResult } from '../bench/json.js';
import type { CellResult, Host, RatioResult } from '../bench/model.js';
import { median } from '../bench/statistics.js';
import { requireOrSkip } from './support/requirements.js';

const CHECK = fileURLToPath(new URL('../dist/bench/baseline/check.js', import.meta.url));
const CPU = 'A CPU';

interface Given {
  readonly quick?: boolean;
  readonly cpu?: string;
  readonly cells?: readonly CellResult[];
}

function resultOf(ratios: readonly RatioResult[], { quick = true, cpu = CPU, cells = [] }: Given = {}): JsonResult {
  return {
    schema: 1,
    host: { cpu, cores: 2, kernel: 'Linux 6.1', load: 0, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    command: `nearwire bench${quick ? ' --quick' : ''} --json x.json`,
    started: '2026-01-02T03:04:05.000Z',
    seconds: 100,
    cells,
    ratios,
  };
}

/** A ratio to node:net, by its rounds. */
function ratio(rounds: readonly number[], more: Partial<RatioResult> = {}): RatioResult {
  return {
    ...{ case: 'fanin', params: { connections: 64 }, family: 'unix', measure: 'cpu', subject: 'native' },
    ...{ baseline: 'node:net', median: median(rounds), low: Math.min(...rounds), high: Math.max(...rounds) },
    ...{ rounds: rounds.length, ...more },
  };
}

function quickOf(baseline: Baseline): RecordedMode {
  const recorded = baseline.modes.quick;
  if (!recorded) throw new Error('a quick run is recorded');
  return recorded;
}

/** As many runs as are needed, of which one after the other is like these. */
const resultsOf = (runs: readonly RatioResult[][], given: Given = {}): JsonResult[] =>
  Array.from({ length: 5 }, (_, run) => resultOf(runs[run % runs.length] ?? [], given));
const recordOf = (...runs: RatioResult[][]): RecordedMode => quickOf(record(resultsOf(runs), undefined));
const verdictsOf = (comparisons: readonly Comparison[]): Verdict[] => comparisons.map(({ verdict }) => verdict);

describe('the spread', () => {
  test('of a normal distribution is found from the extremes of few values', () => {
    const random = randomOf(1);
    for (const count of [2, 3, 5, 7]) {
      const ones: number[] = [];
      const medians: number[] = [];
      const estimates: number[] = [];
      for (let i = 0; i < 4000; i++) {
        const values = Array.from({ length: count }, () => Math.exp(0.1 * normal(random)));
        const [low, high] = [Math.min(...values), Math.max(...values)];
        ones.push(deviationOf(low, high, count) ?? NaN);
        estimates.push(deviationOfMedian({ low, high, rounds: count, median: median(values) }) ?? NaN);
        medians.push(Math.log(median(values)));
      }
      expect(mean(ones)).toBeCloseTo(0.1, 2);
      expect(mean(estimates)).toBeCloseTo(Math.hypot(...medians) / Math.sqrt(medians.length), 2);
    }
  });

  test('of one value is not known', () => {
    expect(deviationOf(1, 1, 1)).toBeUndefined();
    expect(deviationOfMedian({ low: 1, high: 1, median: 1, rounds: 1 })).toBeUndefined();
  });
});

describe('a baseline', () => {
  test('has ours to node:net, over all runs', () => {
    const others = [
      ratio([1, 1, 1], { subject: 'js' }),
      ratio([2, 2, 2], { subject: 'c' }),
      ratio([3], { baseline: 'c' }),
    ];
    const recorded = recordOf([ratio([0.48, 0.5, 0.51]), ...others], [ratio([0.5, 0.52, 0.6])]);
    expect(recorded.ratios).toHaveLength(1);
    expect(recorded.ratios[0]).toMatchObject({ median: 0.5, low: 0.48, high: 0.6, runs: 5, subject: 'native' });
    expect(recorded.runs.map(({ cpu }) => cpu)).toEqual(Array.from({ length: 5 }, () => CPU));
  });

  test('has no tails of a quick run, no failed connects, and nothing that the load generator held back', () => {
    const p99 = ratio([1, 1, 1], { measure: 'p99' });
    const failed = ratio([0, 0, 0], { case: 'storm', measure: 'failed' });
    expect(recordOf([p99, failed]).ratios).toEqual([]);
    expect(record(resultsOf([[p99]], { quick: false }), undefined).modes.default?.ratios).toHaveLength(1);
    const cell: CellResult = {
      ...{ case: 'fanin', params: { connections: 64 }, family: 'unix', subject: 'node:net', measure: 'rate' },
      ...{ unit: 'messages/s', better: 'higher', samples: [1], median: 1, limitedBy: 'generator' },
    };
    const rate = ratio([2, 2, 2], { measure: 'rate' });
    expect(
      record(resultsOf([[rate, ratio([1, 1, 1])]], { cells: [cell] }), undefined).modes.quick?.ratios,
    ).toMatchObject([{ measure: 'cpu' }]);
  });

  test('is renewed for the modes that are recorded', () => {
    const full = resultsOf([[ratio([2, 2, 2])]], { quick: false });
    const first = record([...resultsOf([[ratio([1, 1, 1])]]), ...full], undefined);
    const second = record(resultsOf([[ratio([3, 3, 3])]]), first);
    expect(second.modes.quick?.ratios[0]?.median).toBe(3);
    expect(second.modes.default?.ratios[0]?.median).toBe(2);
  });

  test('is of five runs at least, and of commits', () => {
    const few = resultsOf([[ratio([1, 1, 1])]]).slice(1);
    expect(() => record(few, undefined)).toThrow('5 quick runs are needed, and not 4');
    const [result] = few;
    if (result === undefined) throw new Error('there are results');
    const dirty = { ...result, versions: { ...result.versions, commit: 'abc-dirty' } };
    expect(() => record([...few, dirty], undefined)).toThrow('a result is of abc-dirty');
  });

  test('takes rounds that agree by accident for no steadier than the others are', () => {
    const restless = [0, 1, 2].map((bytes) => ratio([0.7, 1, 1.4], { params: { bytes } }));
    const { ratios } = recordOf([...restless, ratio([0.5, 0.5, 0.5])]);
    const spreads = ratios.map(({ spread }) => spread);
    expect(spreads[3]).toBeCloseTo((spreads[0] ?? 0) / 2, 3);
    expect(spreads[3]).toBeGreaterThan(0.1);
  });
});

describe('a result', () => {
  const steady = [0.49, 0.5, 0.51];
  const recorded = recordOf([ratio(steady)], [ratio(steady)], [ratio([0.5, 0.51, 0.52])]);

  test('is as recorded, worse or better', () => {
    const verdictOf = (...rounds: number[]): Verdict[] => verdictsOf(compare(resultOf([ratio(rounds)]), recorded));
    expect(verdictOf(0.48, 0.51, 0.52)).toEqual(['same']);
    expect(verdictOf(0.6, 0.61, 0.62)).toEqual(['worse']);
    expect(verdictOf(0.4, 0.41, 0.42)).toEqual(['better']);
  });

  test('is worse by falling where higher is better', () => {
    const rate = (...rounds: number[]): RatioResult => ratio(rounds, { measure: 'rate' });
    const rates = recordOf([rate(2, 2.02, 2.05)], [rate(1.98, 2, 2.1)]);
    expect(verdictsOf(compare(resultOf([rate(1.5, 1.6, 1.61)]), rates))).toEqual(['worse']);
    expect(verdictsOf(compare(resultOf([rate(2.9, 3, 3.1)]), rates))).toEqual(['better']);
  });

  test('does not pass by being restless', () => {
    expect(verdictsOf(compare(resultOf([ratio([0.3, 0.75, 3])]), recorded))).toEqual(['worse']);
  });

  test('that lacks what is recorded is told, unless it was left out on purpose or became too fast to be told', () => {
    expect(verdictsOf(compare(resultOf([]), recorded))).toEqual(['missing']);
    expect(compare(resultOf([]), recorded, ['rtt'])).toEqual([]);
    const rates = recordOf([ratio([2, 2, 2], { measure: 'rate' })]);
    const cell: CellResult = {
      ...{ case: 'fanin', params: { connections: 64 }, family: 'unix', subject: 'native', measure: 'rate' },
      ...{ unit: 'messages/s', better: 'higher', samples: [1], median: 1, limitedBy: 'generator' },
    };
    expect(compare(resultOf([ratio([1, 1, 1], { measure: 'rate' })], { cells: [cell] }), rates)).toEqual([]);
  });

  test('loses no gain, however restless it was', () => {
    const restless = recordOf([ratio([0.6, 0.8, 1.1])], [ratio([0.5, 0.7, 1.2])]);
    const verdictOf = (now: RatioResult, of: RecordedMode): Verdict[] => verdictsOf(compare(resultOf([now]), of));
    expect(verdictOf(ratio([0.98, 0.99, 0.99]), restless)).toEqual(['same']);
    expect(verdictOf(ratio([1.01, 1.02, 1.03]), restless)).toEqual(['worse']);
    const rate = (...rounds: number[]): RatioResult => ratio(rounds, { measure: 'rate' });
    const rates = recordOf([rate(0.9, 1.3, 1.6)], [rate(0.8, 1.2, 1.9)]);
    expect(verdictOf(rate(1.01, 1.02, 1.03), rates)).toEqual(['same']);
    expect(verdictOf(rate(0.97, 0.98, 0.99), rates)).toEqual(['worse']);
  });

  test('is judged by what was recorded on such a processor, as many of them, and such a Node', () => {
    const given = resultOf([]);
    const { runs } = recorded;
    expect(isRecordedMachine({ ...given, versions: { ...given.versions, node: '20.9.1' } }, runs)).toBe(true);
    expect(isRecordedMachine({ ...given, versions: { ...given.versions, node: '22.0.0' } }, runs)).toBe(false);
    expect(isRecordedMachine({ ...given, host: { ...given.host, kernel: 'Linux 6.2' } }, runs)).toBe(true);
    expect(isRecordedMachine({ ...given, host: { ...given.host, cores: 4 } }, runs)).toBe(false);
    expect(isRecordedMachine({ ...given, host: { ...given.host, cpu: 'Another' } }, runs)).toBe(false);
  });
});

describe('over hundreds of made-up runs', () => {
  const RATIOS = 80;
  const RUNS = 200;
  const random = randomOf(7);
  /** From the steady (2 % from round to round) to the restless (20 %). */
  const deviations = Array.from({ length: RATIOS }, (_, at) => 0.02 * 10 ** (at / (RATIOS - 1)));

  /** Each run is off by itself, each round too, and one of thirty rounds by half as much again. */
  function madeUp(rounds: number, change: (at: number) => number): RatioResult[] {
    return deviations.map((deviation, at) => {
      const run = 0.03 * normal(random);
      const values = Array.from({ length: rounds }, () => {
        const hit = random() < 1 / 30 ? Math.log(1.5) * (random() < 0.5 ? 1 : -1) : 0;
        return 0.5 * change(at) * Math.exp(run + deviation * normal(random) + hit);
      });
      return ratio(values, { params: { connections: at } });
    });
  }

  /** As check.ts does: what is worse is measured again in seven rounds. */
  function worseOf(recorded: RecordedMode, change: (at: number) => number): Set<number> {
    const first = worseIn(recorded, madeUp(3, change));
    if (first.size === 0) return first;
    const again = worseIn(recorded, madeUp(7, change));
    return new Set([...first].filter((at) => again.has(at)));
  }

  function worseIn(recorded: RecordedMode, ratios: readonly RatioResult[]): Set<number> {
    const worse = compare(resultOf(ratios), recorded).filter(({ verdict }) => verdict === 'worse');
    return new Set(worse.map((entry) => Number(entry.recorded.params['connections'])));
  }

  const unchanged = (): number => 1;
  const recordedRuns = (): RatioResult[][] => Array.from({ length: 5 }, () => madeUp(3, unchanged));

  test('chance fails less than one in a hundred', () => {
    let failed = 0;
    for (let run = 0; run < RUNS; run++) {
      const recorded = recordOf(...recordedRuns());
      if (worseOf(recorded, unchanged).size > 0) failed++;
    }
    expect(failed).toBeLessThan(RUNS / 100);
  });

  test('what became half as dear again is found if steady, twice as dear if restless, eight times in ten at least', () => {
    const found = (change: number, from: number, to: number): number => {
      let seen = 0;
      for (let run = 0; run < RUNS; run++) {
        const at = from + (run % (to - from));
        const recorded = recordOf(...recordedRuns());
        if (worseOf(recorded, (which) => (which === at ? change : 1)).has(at)) seen++;
      }
      return seen / RUNS;
    };
    // Up to 6.3 % from round to round, and all.
    expect(found(1.5, 0, RATIOS / 2)).toBeGreaterThan(0.8);
    expect(found(2, RATIOS / 2, RATIOS)).toBeGreaterThan(0.8);
    expect(found(3, 0, RATIOS)).toBeGreaterThan(0.97);
  });
});

test('what is recorded is of cases and measures that there are, and without paths of a machine', () => {
  const text = readFileSync(new URL('../bench/baseline.json', import.meta.url), 'utf8');
  const { modes } = JSON.parse(text) as Baseline;
  const recorded = Object.values(modes);
  expect(recorded.length).toBeGreaterThan(0);
  for (const { ratios } of recorded) {
    expect(ratios.length).toBeGreaterThan(0);
    for (const entry of ratios) expect(measureOf(entry), keyOf(entry)).toBeDefined();
    expect(new Set(ratios.map(keyOf)).size).toBe(ratios.length);
  }
  expect(text).not.toContain('.json');
});

describe('npm run bench:check', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const check = (...words: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [CHECK, '--baseline', join(folder, 'baseline.json'), ...words], { encoding: 'utf8' });
  function write(name: string, content: unknown): string {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify(content));
    return file;
  }

  test('records results and tells what is worse than they are', () => {
    const results = [0, 1, 2, 3, 4].map((run) =>
      write(
        `${String(run)}.json`,
        resultOf([ratio([0.49, 0.5, 0.51 + run / 100]), ratio([1, 1, 1], { subject: 'channel' })]),
      ),
    );
    expect(check('--record', ...results)).toMatchObject({
      status: 0,
      stdout: '2 ratios recorded, 0 of them blind\n',
      stderr: '',
    });
    expect(readFileSync(join(folder, 'baseline.json'), 'utf8')).toContain('"runs": 5');
    const same = check(results[1] ?? '');
    expect(same).toMatchObject({ status: 0, stderr: '' });
    expect(same.stdout).toBe('2 ratios to node:net: 2 as recorded, 0 better, 0 worse, 0 not measured\n');
    const worse = check(
      write('worse.json', resultOf([ratio([0.7, 0.71, 0.72]), ratio([1, 1, 1], { subject: 'channel' })])),
    );
    expect(worse).toMatchObject({ status: 1, stderr: '' });
    expect(worse.stdout).toMatch(/fanin 64 connections unix cpu native .*0\.50x.*0\.71x.*at most 0\.5\dx.*worse/);
    const less = check(write('less.json', resultOf([ratio([0.49, 0.5, 0.51])])));
    expect(less.status).toBe(1);
    expect(less.stdout).toContain('not measured');
  });

  test('tells and judges nothing on a machine that was not recorded', () => {
    const { status, stdout } = check(write('other.json', resultOf([ratio([0.7, 0.71, 0.72])], { cpu: 'Another' })));
    expect(stdout).toMatch(/0\.71x.*worse/);
    expect(stdout).toContain('told, not judged');
    expect(status).toBe(0);
  });

  test('says what it could hardly find, from what is recorded', () => {
    const restless = write(
      'restless.json',
      resultOf([ratio([0.2, 0.5, 1.2]), ratio([1, 1, 1], { subject: 'channel' })]),
    );
    const { status, stdout, stderr } = check('--record', ...Array.from({ length: 5 }, () => restless));
    expect(status).toBe(0);
    expect(stderr).toMatch(/^note: fanin 64 connections unix cpu native has to double before it is found worse$/m);
    expect(stdout).toBe('2 ratios recorded, 1 of them blind\n');
  });

  test('says so if there is nothing to compare with', () => {
    const file = write('full.json', resultOf([ratio([1, 1, 1])], { quick: false }));
    const check1 = check(file);
    expect(check1.status).toBe(2);
    expect(check1.stderr).toContain('no default run is recorded');
    expect(check(join(folder, 'no.json'))).toMatchObject({ status: 2, stdout: '' });
    expect(check('--fast').stderr).toContain('usage: npm run bench:check');
    expect(check('--record').status).toBe(2);
    expect(check('--record', file)).toMatchObject({ status: 2, stdout: '' });
  });
});

describe.skipIf(requireOrSkip('floor') === undefined || requireOrSkip('addon') === undefined)(
  'npm run bench:check, with a run of its own',
  () => {
    let host: Host;
    beforeAll(async () => {
      ({ host } = await inspectHost());
    });

    /** What it says where this much is recorded of native's rate in a pipeline, which is some ten times node:net's. */
    function checkAgainst(rate: number): { status: number | null; stdout: string; stderr: string } {
      const folder = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
      try {
        const file = join(folder, 'baseline.json');
        const rates = [ratio([rate], { case: 'pipeline', params: { bytes: 64, window: 256 }, measure: 'rate' })];
        const { node } = process.versions;
        const runs = resultsOf([rates]).map((run) => ({ ...run, host, versions: { ...run.versions, node } }));
        writeFileSync(file, JSON.stringify(record(runs, undefined)));
        const words = [CHECK, '--baseline', file, '--cases', 'pipeline'];
        return spawnSync(process.execPath, words, { encoding: 'utf8' });
      } finally {
        rmSync(folder, { recursive: true });
      }
    }

    test('passes what is better than recorded', () => {
      const { status, stdout } = checkAgainst(0.1);
      expect(stdout).toContain('pipeline  256 messages');
      expect(stdout).not.toContain('measured again');
      expect(stdout).toMatch(/pipeline 64 B window 256 unix rate native .*0\.10x.*better/);
      expect(status).toBe(0);
    });

    test('measures again what seems worse, and fails if it is', () => {
      const { status, stdout } = checkAgainst(100);
      const [first, second] = stdout.split('measured again:');
      expect(first).toMatch(/rate native .*100x.*worse/);
      expect(second).toMatch(/rate native .*100x.*worse/);
      expect(status).toBe(1);
    }, 60_000);
  },
);

/** Numbers that look like chance and are the same each time: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box and Muller's. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
