import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';

import { beforeAll, describe, expect, test } from 'vitest';

import { PERCENTILES } from '../../bench/histogram.js';
import type { JsonResult } from '../../bench/json.js';
import { median } from '../../bench/statistics.js';
import { benchOnce, benchRun, cellNames, valuesOf, type BenchRun } from '../support/bench-runs.js';
import { CLI_MAIN, startCli } from '../support/cli.js';
import { folderForRuns, until } from '../support/command-runs.js';
import { requireOrSkip } from '../support/requirements.js';

const floor = requireOrSkip('floor');
const addon = requireOrSkip('addon');
const nginx = requireOrSkip('nginx');

const runs = folderForRuns();
const isLinux = process.platform === 'linux';
const RUN_MS = 120_000;

/** Cases that differ in who is client, in what is measured, and in how they are run. */
const CASES = ['rtt', ...(floor === undefined ? [] : ['http']), ...(addon === undefined ? [] : ['micro'])];
const ROUNDS = 2;

describe('a real run', () => {
  let run: BenchRun;

  beforeAll(async () => {
    const words = ['--rounds', String(ROUNDS), '--cases', CASES.join(','), '--families', 'unix'];
    run = await benchOnce(runs, words);
  }, RUN_MS);

  test('writes the object that the acceptance check reads, no field more or less', () => {
    const { json } = run;
    expect(Object.keys(json).sort()).toEqual(
      [
        ...['brought', 'cells', 'command', 'environment', 'host', 'ratios', 'schema', 'seconds', 'started', 'versions'],
        ...['failures', 'interrupted', 'latencies', 'samples', 'skipped', 'warnings'],
      ].sort(),
    );
    expect(json).toMatchObject({ brought: [], environment: {}, schema: 1, versions: { node: process.versions.node } });
    expect(Object.keys(json.host).sort()).toEqual(['cores', 'cpu', 'kernel', 'load', 'sandbox']);
    expect(Object.keys(json.versions).sort()).toEqual(['commit', 'nearwire', 'node']);
    expect(json.command).toMatch(/^nearwire bench /);
    expect(new Date(json.started).toISOString()).toBe(json.started);
    expect(json.seconds).toBeGreaterThan(0);
  });

  test('has each cell and each ratio once with its own fields, and a sample a round', () => {
    const { cells, ratios } = run.json;
    for (const { limitedBy, rme, ...fields } of cells) {
      expect(rme !== undefined && rme > 0).toBe(fields.case === 'micro');
      expect(Object.keys(fields)).toEqual([
        ...['case', 'params', 'family', 'subject', 'measure', 'unit', 'better', 'samples', 'median'],
      ]);
      expect([undefined, 'generator']).toContain(limitedBy);
      expect(['higher', 'lower']).toContain(fields.better);
      expect(fields.samples).toHaveLength(ROUNDS);
      for (const sample of fields.samples) expect(sample).toBeGreaterThan(0);
      expect(fields.median).toBe(median(fields.samples));
    }
    for (const { bound, ...fields } of ratios) {
      expect([undefined, '>=', '<=']).toContain(bound);
      expect(Object.keys(fields)).toEqual([
        ...['case', 'params', 'family', 'measure', 'subject', 'baseline', 'median', 'low', 'high', 'rounds'],
      ]);
      expect(fields.low).toBeLessThanOrEqual(fields.median);
      expect(fields.median).toBeLessThanOrEqual(fields.high);
      expect(fields.rounds).toBe(ROUNDS);
    }
    const placeOf = (entry: (typeof cells | typeof ratios)[number]): string =>
      JSON.stringify([entry.case, entry.params, entry.family, entry.subject, entry.measure]);
    expect(new Set(cells.map(placeOf)).size).toBe(cells.length);
    expect(new Set(ratios.map((ratio) => `${placeOf(ratio)} ${ratio.baseline}`)).size).toBe(ratios.length);
    expect([...new Set(cells.map((cell) => cell.case))]).toEqual(CASES);
  });

  test('takes the ratios from the samples of the same round', () => {
    const { cells, ratios } = run.json;
    const isIt = (entry: { readonly case: string; readonly measure: string; readonly subject: string }): boolean =>
      entry.case === 'rtt' && entry.measure === 'p50' && entry.subject === 'js';
    const baseline = cells.find((cell) => cell.subject === 'node:net')?.samples;
    const expected = cells.find(isIt)?.samples.map((value, round) => value / (baseline?.[round] ?? NaN)) ?? [];
    const ratio = ratios.find((entry) => isIt(entry) && entry.baseline === 'node:net');
    expect(ratio?.median).toBeCloseTo(median(expected), 10);
    expect(ratio?.low).toBeCloseTo(Math.min(...expected), 10);
  });

  test('shows every case and subject on the terminal, with the share of the client', () => {
    // Not on a terminal: plain text.
    expect(stripVTControlCharacters(run.stdout)).toBe(run.stdout);
    for (const name of CASES) expect(run.stdout).toMatch(new RegExp(`^${name}  `, 'm'));
    expect(run.stdout).toMatch(/unix p50 .*us.*x/);
    expect(run.stdout).toMatch(/client CPU .*\d+ %/);
  });

  test.skipIf(addon === undefined)("has node's own code beside ours in each operation of one process", () => {
    const ratios = run.json.ratios.filter((entry) => entry.case === 'micro');
    const operations = (subject: string): Set<unknown> =>
      new Set(ratios.filter((ratio) => ratio.subject === subject).map(({ params }) => params['operation']));
    expect(operations('native')).toEqual(new Set(['parse head', 'serialise head', 'serve request', 'write']));
    expect(operations('channel')).toEqual(new Set(['write']));
    for (const ratio of ratios) expect(ratio).toMatchObject({ family: 'none', baseline: 'node:net' });
    // Each counts the headers of what it has parsed itself, and throws where they are not as many as its case says.
    const parsed = ratios.filter(({ params }) => params['operation'] === 'parse head');
    expect(new Set(parsed.map(({ params }) => params['headers']))).toEqual(new Set([2, 10]));
    expect(run.stdout).toMatch(/write 64 B margin .*± *[\d.]+ %/);
  });
});

describe.skipIf(floor === undefined || addon === undefined)('cases of their own kind', () => {
  let run: BenchRun;

  beforeAll(async () => {
    run = await benchOnce(runs, ['--cases', 'storm,retained,growth', '--subjects', 'native,node:net']);
  }, RUN_MS);

  test('a storm fails no native connect, and its longest wait is told', () => {
    expect(valuesOf(run, 'storm', 'failed', 'native')).toEqual([0]);
    for (const subject of ['native', 'node:net']) {
      expect(valuesOf(run, 'storm', 'wait', subject)[0]).toBeGreaterThan(0);
    }
    // node:net fails at once where the queue is full.
    expect(valuesOf(run, 'storm', 'failed', 'node:net')[0]).toBeLessThan(4096);
  });

  test('kept chunks take at least their bytes, however many are kept', () => {
    for (const subject of ['native', 'node:net']) {
      const held = valuesOf(run, 'retained', 'held', subject);
      expect(held).toHaveLength(3);
      for (const bytes of held) expect(bytes).toBeGreaterThan(100);
      expect(valuesOf(run, 'retained', 'memory', subject)).toHaveLength(3);
    }
    // A chunk of node:net's has its memory to itself: what is near to it makes no difference.
    const [all = 0, , few = 0] = valuesOf(run, 'retained', 'held', 'node:net');
    expect(few).toBeLessThan(3 * all);
  });

  test('the growth goes from one connection to thousands, and is told against 16', () => {
    expect(Math.max(...run.json.cells.map(({ params }) => Number(params['connections'] ?? 0)))).toBe(4096);
    for (const subject of ['native', 'node:net']) {
      for (const measure of ['rate', 'cpu', 'p50', 'p99']) {
        const values = valuesOf(run, 'growth', measure, subject);
        expect(values).toHaveLength(5);
        for (const value of values) expect(value).toBeGreaterThan(0);
      }
    }
    expect(run.stdout).toMatch(/4096 connections cpu .*x/);
    expect(run.stdout).toMatch(/256 connections, 8192 idle p50 \/ connections .*x/);
  });
});

describe.skipIf(floor === undefined || addon === undefined)('load short of the limit', () => {
  let folder = '';
  let run: BenchRun;

  beforeAll(async () => {
    folder = join(runs.path, 'hdr');
    const words = ['--rounds', '2', '--cases', 'load', '--subjects', 'native,node:net', '--hdr', folder];
    run = await benchOnce(runs, words);
  }, RUN_MS);

  test('is the same for all subjects, at shares of what node:net answers at most', () => {
    const { latencies } = run.json;
    const maximum = Math.max(...latencies.map(({ params, offered = NaN }) => (offered / Number(params['load'])) * 100));
    for (const { params, offered = NaN } of latencies) {
      // Rates are told in three digits, each of which is up to 0.5 % off.
      expect(Math.abs(offered / ((maximum * Number(params['load'])) / 100) - 1)).toBeLessThan(0.01);
    }
    expect(latencies.map(({ subject }) => subject).sort()).toEqual(
      ['native', 'node:net'].flatMap((subject) => Array.from({ length: 5 }, () => subject)),
    );
  });

  test('has every request of all rounds in one histogram, and the percentiles that there are enough of', () => {
    for (const { count, max, steps, percentiles, offered = NaN, rounds } of run.json.latencies) {
      expect(rounds).toBe(2);
      expect(steps.reduce((sum, [, held]) => sum + held, 0)).toBe(count);
      // Two stretches of half a second: by chance a few more or less.
      expect(count / offered).toBeCloseTo(1, 0);
      expect(Object.keys(percentiles)).toEqual(
        PERCENTILES.filter(({ least }) => count >= least).map(({ name }) => name),
      );
      const values = Object.values(percentiles);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect(values.at(-1)).toBeLessThanOrEqual(max);
    }
  });

  test('tells the CPU of both ends, how many were answered in time, and each round with its warm-up', () => {
    for (const measure of ['cpu', 'clientCpu', 'inTime']) {
      const cells = run.json.cells.filter((cell) => cell.measure === measure);
      expect(cells).toHaveLength(10);
      for (const { samples } of cells) {
        for (const value of samples) expect(value).toBeGreaterThan(0);
        if (measure === 'inTime') expect(Math.max(...samples)).toBeLessThanOrEqual(100);
      }
    }
    expect(run.json.samples).toHaveLength(20);
    for (const sample of run.json.samples) {
      // They stand in the one histogram.
      expect(sample).not.toHaveProperty('latency');
      expect(sample.warmUp?.windows).toBeGreaterThanOrEqual(8);
    }
  });

  test('is one table on the terminal, the figures of each load below each other, and a distribution file each', () => {
    expect(run.stdout).toMatch(/no work, unix *│ *native *│ *node:net/);
    for (const load of [10, 25, 50, 75, 90])
      expect(run.stdout).toMatch(new RegExp(`│ at ${String(load)} % \\(.*/s\\) p50 +│ +[\\d.]+ [um]s`));
    expect(run.stdout).toMatch(/at 75 % of node:net's maximum p99 is [\d.]+ [um]s \(native\) against [\d.]+ [um]s/);
    const files = readdirSync(folder);
    expect(files).toHaveLength(10);
    expect(files).toContain('load-unix-no-work-at-75-node-net.hgrm');
  });
});

// In each of them something runs that is not what is wanted.
test.skipIf(floor === undefined).each([
  {
    what: 'a server',
    words: ['--cases', 'rtt', '--subjects', 'c,node:net'],
    env: { NEARWIRE_FLOOR: '/bin/false' },
    told: ['failed: server of rtt c over unix exited with 1'],
    measured: 'rtt node:net p50',
  },
  {
    what: "node:net's maximum",
    words: ['--cases', 'rtt,load', '--subjects', 'node:net'],
    env: { NEARWIRE_FLOOR: '/bin/false' },
    told: ['failed: client of load node:net over unix exited with 1'],
    measured: 'rtt node:net p50',
  },
  ...(nginx === undefined || !isLinux
    ? []
    : [
        {
          what: 'an nginx',
          words: ['--cases', 'file', '--subjects', 'nginx,c'],
          env: { NEARWIRE_NGINX: '/bin/false' },
          told: ['failed: server of file nginx over unix exited with 1', 'nginx exited with 1'],
          measured: 'file c cpu',
        },
      ]),
])('$what that fails is told, and the rest is measured', async ({ words, env, told, measured }) => {
  const run = await benchRun(runs, ['--quick', '--rounds', '1', '--families', 'unix', ...words], env);
  expect(run.code).toBe(1);
  for (const text of told) expect(run.stdout).toContain(text);
  const [name = '', subject = ''] = measured.split(' ');
  expect(cellNames(run)).toContain(measured);
  for (const cell of cellNames(run)) expect(cell.startsWith(`${name} ${subject} `)).toBe(true);
});

test.skipIf(floor === undefined || !isLinux)('without nginx the others are measured, and it is told', async () => {
  const env = { NEARWIRE_NGINX: join(runs.path, 'no-nginx') };
  const run = await benchOnce(runs, ['--cases', 'file', '--subjects', 'c,nginx'], env);
  expect(run.stderr).toContain('nginx: not installed');
  expect(run.stdout).toMatch(/^file  /m);
});

test.skipIf(floor === undefined)(
  'cases in which bytes go by reference have the floors beside them',
  async () => {
    const run = await benchRun(runs, ['--rounds', '1', '--cases', 'file,page,relay']);
    expect(run.code).toBe(0);
    const places = run.json.cells.map(({ params, ...cell }) =>
      [cell.case, params['bytes'], cell.measure, cell.subject].join(' '),
    );
    for (const name of ['file', 'page', 'relay']) {
      for (const bytes of name === 'relay' ? [65536] : [65536, 1048576]) {
        for (const measure of ['rate', 'cpu']) {
          const place = `${name} ${String(bytes)} ${measure}`;
          // What every machine with a compiler has.
          for (const subject of ['c', 'c-send', 'node:net']) expect(places).toContain(`${place} ${subject}`);
          expect(places.includes(`${place} nginx`)).toBe(name === 'file' && nginx !== undefined && isLinux);
        }
      }
    }
    for (const { params } of run.json.cells) expect(Object.keys(params)).toEqual(['bytes']);
  },
  RUN_MS,
);

test.skipIf(floor === undefined || !isLinux)(
  'a crowd is as large as the system lets it, and its memory and its wait are told',
  async () => {
    const file = join(runs.path, 'crowd.json');
    const words = ['--rounds', '1', '--cases', 'crowd', '--subjects', 'c,c-send,node:net', '--json', file];
    // The whole crowd takes gigabytes: as many of them as there may be descriptors.
    const limited = ['-c', 'ulimit -n 1064 && exec "$0" "$@"', process.execPath, CLI_MAIN, 'bench', ...words];
    const { stderr } = await promisify(execFile)('/bin/sh', limited, { env: { ...process.env, TMPDIR: runs.path } });
    expect(stderr).toContain('1000 connections instead of 10000');
    const { cells } = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
    // How much memory it is, other processes have a say in.
    expect(new Set(cells.map(({ subject, measure }) => `${subject} ${measure}`))).toEqual(
      new Set(['c', 'c-send', 'node:net'].flatMap((name) => ['system', 'memory', 'wait'].map((of) => `${name} ${of}`))),
    );
    for (const { params, measure, median: value } of cells) {
      expect(params).toEqual({ connections: 1000, bytes: 1048576 });
      if (measure === 'wait') expect(value).toBeGreaterThan(0);
    }
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  },
);

describe('a signal', () => {
  /** Process groups of the peers that have been seen: nginx's worker names no file. */
  const groups = new Set<string>();

  /** Nothing once it has ended. */
  function told(pid: string, file: 'cmdline' | 'stat'): string {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  }

  /** Processes whose command line names this test's runs.path, as the workers' addresses do, and what they have started. */
  function processes(): string[] {
    return readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      // After the name in brackets: state, parent, group.
      const [, state = 'Z', group = ''] = /.*\) (\S+) \S+ (\S+)/.exec(told(pid, 'stat')) ?? [];
      // Whoever inherits what has ended may take its time to bury it.
      if (state === 'Z') return false;
      const named = told(pid, 'cmdline').includes(runs.path);
      // The bench is of the test's group, and its peers each lead one.
      if (named && group === pid) groups.add(group);
      return named || groups.has(group);
    });
  }

  test.skipIf(!isLinux).each([
    { signal: 'SIGINT' as const, code: 130 },
    { signal: 'SIGTERM' as const, code: 143 },
  ])('$signal leaves no process and no socket file, and what was measured is shown', async ({ signal, code }) => {
    const file = join(runs.path, `${signal}.json`);
    const words = ['--quick', '--rounds', '100', '--cases', 'rtt', '--families', 'unix', '--json', file];
    const { child, result } = startCli(['bench', ...words, '--subjects', 'node:net,js'], { TMPDIR: runs.path });
    await new Promise<void>((resolve) => {
      let text = '';
      child.stderr?.on('data', (part: string) => {
        text += part;
        // The first round has been measured, and the second one is under way.
        if (text.includes('round 2 of 100')) resolve();
      });
    });
    expect(processes().length).toBeGreaterThan(0);
    child.kill(signal);
    const ended = await result;
    expect(ended.code).toBe(code);
    expect(ended.stdout).toContain('interrupted');
    expect(ended.stdout).toMatch(/unix p50/);
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
    expect(processes()).toEqual([]);
    const json = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
    expect(json.cells.every((cell) => cell.samples.length > 0)).toBe(true);
    expect(json.cells.length).toBeGreaterThan(0);
  });

  const served = ['--cases', 'file', '--subjects', 'nginx'];
  const nginxServes = (): boolean => processes().some((pid) => told(pid, 'cmdline').includes('nginx: worker'));

  const endings: { signal: NodeJS.Signals; what: string; words: string[]; runs: () => boolean; can: boolean }[] = [
    {
      ...{ signal: 'SIGKILL', what: 'a server', can: true, runs: () => processes().length > 0 },
      words: ['--cases', 'rtt', '--families', 'unix', '--subjects', 'node:net'],
    },
    {
      ...{ signal: 'SIGINT', what: 'what finds out a maximum', can: floor !== undefined },
      ...{ words: ['--cases', 'load', '--families', 'unix'], runs: () => processes().length > 1 },
    },
    ...(['SIGINT', 'SIGKILL'] as const).map((signal) => ({
      ...{ signal, what: 'an nginx that serves', words: served, runs: nginxServes },
      can: nginx !== undefined && floor !== undefined,
    })),
  ];

  test.each(endings.filter(({ can }) => isLinux && can))('$signal ends $what', async (ending) => {
    const { signal, what, words, runs: isRunning } = ending;
    const { child, result } = startCli(['bench', '--quick', '--rounds', '100', ...words], { TMPDIR: runs.path });
    await until(isRunning);
    child.kill(signal);
    const { code, stdout, stderr } = await result;
    // What SIGKILL leaves for its children to see is the end of their stdin, and a folder of temporary files.
    if (signal === 'SIGKILL') await until(() => processes().length === 0);
    expect(processes()).toEqual([]);
    const left = runs.leftovers('nearwire-bench-');
    for (const name of left) rmSync(join(runs.path, name), { recursive: true });
    if (signal === 'SIGKILL') return;
    expect(left).toEqual([]);
    expect(code).toBe(130);
    expect(stdout).not.toContain('failed');
    // It comes before the rounds.
    if (what.includes('maximum')) expect(stderr).not.toContain('round 1');
  });
});
