import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';

import { beforeAll, describe, expect, test } from 'vitest';

import { PERCENTILES } from '../bench/histogram.js';
import type { JsonFile, JsonResult } from '../bench/json.js';
import { median } from '../bench/statistics.js';
import { runCli, startCli, type CliResult } from './support/cli.js';
import { folderForRuns, until } from './support/command-runs.js';
import { requireOrSkip } from './support/requirements.js';

const floor = requireOrSkip('floor');
const addon = requireOrSkip('addon');
const nginx = requireOrSkip('nginx');

const runs = folderForRuns();

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

/** Cases that differ in who is client, in what is measured, and in how they are run. */
const CASES = ['rtt', ...(floor === undefined ? [] : ['http']), ...(addon === undefined ? [] : ['micro'])];
const ROUNDS = 2;

describe('a real run', () => {
  let cli: CliResult;
  let json: JsonResult;

  beforeAll(async () => {
    const file = join(runs.path, 'result.json');
    const words = ['--quick', '--rounds', String(ROUNDS), '--cases', CASES.join(','), '--json', file];
    cli = await runCli(['bench', ...words, '--families', 'unix'], { TMPDIR: runs.path });
    if (cli.code === 0) json = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
  }, 120_000);

  test('succeeds and leaves nothing behind', () => {
    expect(cli.stderr).not.toContain('failed');
    expect(cli.code).toBe(0);
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  });

  test('writes the object that the acceptance check reads, no field more or less', () => {
    expect(Object.keys(json).sort()).toEqual(
      [
        ...['brought', 'cells', 'command', 'environment', 'host', 'ratios', 'schema', 'seconds', 'started', 'versions'],
        ...['failures', 'interrupted', 'latencies', 'samples', 'skipped', 'warnings'],
      ].sort(),
    );
    expect(json.brought).toEqual([]);
    expect(json.environment).toEqual({});
    expect(json.schema).toBe(1);
    expect(Object.keys(json.host).sort()).toEqual(['cores', 'cpu', 'kernel', 'load', 'sandbox']);
    expect(Object.keys(json.versions).sort()).toEqual(['commit', 'nearwire', 'node']);
    expect(json.versions.node).toBe(process.versions.node);
    expect(json.command).toMatch(/^nearwire bench --quick/);
    expect(new Date(json.started).toISOString()).toBe(json.started);
    expect(json.seconds).toBeGreaterThan(0);
    for (const cell of json.cells) {
      const { limitedBy, rme, ...fields } = cell;
      expect(rme !== undefined && rme > 0).toBe(cell.case === 'micro');
      expect(Object.keys(fields)).toEqual([
        ...['case', 'params', 'family', 'subject', 'measure', 'unit', 'better', 'samples', 'median'],
      ]);
      expect([undefined, 'generator']).toContain(limitedBy);
      expect(['higher', 'lower']).toContain(cell.better);
      for (const sample of cell.samples) expect(sample).toBeGreaterThan(0);
      expect(cell.median).toBe(median(cell.samples));
    }
    for (const ratio of json.ratios) {
      const { bound, ...fields } = ratio;
      expect([undefined, '>=', '<=']).toContain(bound);
      expect(Object.keys(fields)).toEqual([
        ...['case', 'params', 'family', 'measure', 'subject', 'baseline', 'median', 'low', 'high', 'rounds'],
      ]);
      expect(ratio.low).toBeLessThanOrEqual(ratio.median);
      expect(ratio.median).toBeLessThanOrEqual(ratio.high);
      expect(ratio.rounds).toBe(ROUNDS);
    }
  });

  test('has each cell and each ratio once, and a sample a round', () => {
    const name = (entry: object): string => JSON.stringify(entry);
    const cells = json.cells.map((cell) => name([cell.case, cell.params, cell.family, cell.subject, cell.measure]));
    expect(new Set(cells).size).toBe(cells.length);
    const ratios = json.ratios.map((ratio) =>
      name([ratio.case, ratio.params, ratio.family, ratio.subject, ratio.baseline, ratio.measure]),
    );
    expect(new Set(ratios).size).toBe(ratios.length);
    for (const cell of json.cells) expect(cell.samples).toHaveLength(ROUNDS);
    expect([...new Set(json.cells.map((cell) => cell.case))]).toEqual(CASES);
  });

  test('takes the ratios from the samples of the same round', () => {
    const samplesOf = (subject: string): readonly number[] =>
      json.cells.find((cell) => cell.case === 'rtt' && cell.measure === 'p50' && cell.subject === subject)?.samples ??
      [];
    const ratio = json.ratios.find(
      (entry) =>
        entry.case === 'rtt' && entry.measure === 'p50' && entry.subject === 'js' && entry.baseline === 'node:net',
    );
    const baseline = samplesOf('node:net');
    const expected = samplesOf('js').map((value, round) => value / (baseline[round] ?? NaN));
    expect(ratio?.median).toBeCloseTo(median(expected), 10);
    expect(ratio?.low).toBeCloseTo(Math.min(...expected), 10);
  });

  test('shows every case and subject on the terminal, with the share of the client', () => {
    const text = stripVTControlCharacters(cli.stdout);
    // Not on a terminal: plain text.
    expect(text).toBe(cli.stdout);
    for (const name of CASES) expect(text).toMatch(new RegExp(`^${name}  `, 'm'));
    expect(text).toMatch(/unix p50 .*us.*x/);
    expect(text).toMatch(/client CPU .*\d+ %/);
  });
});

describe.skipIf(addon === undefined)('work inside one process', () => {
  let cli: CliResult;
  let json: JsonResult;

  beforeAll(async () => {
    const file = join(runs.path, 'micro.json');
    cli = await runCli(['bench', '--quick', '--cases', 'micro', '--json', file], { TMPDIR: runs.path });
    if (cli.code === 0) json = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
  }, 60_000);

  test("has node's own code beside ours in each operation, and a ratio", () => {
    expect(cli.stdout).not.toContain('failed');
    expect(cli.code).toBe(0);
    const operations = (subject: string): Set<unknown> =>
      new Set(json.ratios.filter((ratio) => ratio.subject === subject).map(({ params }) => params['operation']));
    expect(operations('native')).toEqual(new Set(['parse head', 'serialise head', 'write']));
    expect(operations('channel')).toEqual(new Set(['write']));
    for (const ratio of json.ratios)
      expect(ratio).toMatchObject({ case: 'micro', family: 'none', baseline: 'node:net' });
  });

  test('takes longer for more headers, and tells the margin of error', () => {
    for (const subject of ['native', 'node:net']) {
      const times = json.cells
        .filter((cell) => cell.subject === subject && cell.params['operation'] === 'parse head')
        .map(({ median: time }) => time);
      expect(times).toHaveLength(2);
      expect(times[1]).toBeGreaterThan(times[0] ?? NaN);
    }
    expect(cli.stdout).toMatch(/write 64 B margin .*± *[\d.]+ %/);
  });
});

describe.skipIf(floor === undefined || addon === undefined)('cases of their own kind', () => {
  let cli: CliResult;
  let json: JsonResult;

  beforeAll(async () => {
    const file = join(runs.path, 'own.json');
    const words = ['--quick', '--rounds', '1', '--cases', 'storm,retained,growth', '--subjects', 'native,node:net'];
    cli = await runCli(['bench', ...words, '--json', file], { TMPDIR: runs.path });
    if (cli.code === 0) json = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
  }, 120_000);

  const valuesOf = (name: string, measure: string, subject: string): number[] =>
    json.cells
      .filter((cell) => cell.case === name && cell.measure === measure && cell.subject === subject)
      .map((cell) => cell.median);

  test('succeed and leave nothing behind', () => {
    expect(cli.stderr).not.toContain('failed');
    expect(cli.code).toBe(0);
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  });

  test('a storm fails no native connect, and its longest wait is told', () => {
    expect(valuesOf('storm', 'failed', 'native')).toEqual([0]);
    for (const subject of ['native', 'node:net']) {
      const [wait] = valuesOf('storm', 'wait', subject);
      expect(wait).toBeGreaterThan(0);
    }
    // node:net fails at once where the queue is full.
    expect(valuesOf('storm', 'failed', 'node:net')[0]).toBeLessThan(4096);
  });

  test('kept chunks take at least their bytes, however many are kept', () => {
    for (const subject of ['native', 'node:net']) {
      const held = valuesOf('retained', 'held', subject);
      expect(held).toHaveLength(3);
      for (const bytes of held) expect(bytes).toBeGreaterThan(100);
      expect(valuesOf('retained', 'memory', subject)).toHaveLength(3);
    }
    // A chunk of node:net's has its memory to itself: what is near to it makes no difference.
    const [all = 0, , few = 0] = valuesOf('retained', 'held', 'node:net');
    expect(few).toBeLessThan(3 * all);
  });

  test('the growth goes from one connection to thousands, and is told against 16', () => {
    const most = Math.max(...json.cells.map(({ params }) => Number(params['connections'] ?? 0)));
    expect(most).toBe(4096);
    for (const subject of ['native', 'node:net']) {
      for (const measure of ['rate', 'cpu', 'p50', 'p99']) {
        const values = valuesOf('growth', measure, subject);
        expect(values).toHaveLength(5);
        for (const value of values) expect(value).toBeGreaterThan(0);
      }
    }
    expect(cli.stdout).toMatch(/4096 connections cpu .*x/);
    expect(cli.stdout).toMatch(/256 connections, 8192 idle p50 \/ connections .*x/);
  });
});

test.skipIf(floor === undefined)('a subject whose server fails is told, and the others are measured', async () => {
  const file = join(runs.path, 'failing.json');
  const words = ['--quick', '--rounds', '1', '--cases', 'rtt', '--families', 'unix', '--subjects', 'c,node:net'];
  // Something that runs, and is not what is wanted.
  const { code, stdout } = await runCli(['bench', ...words, '--json', file], {
    TMPDIR: runs.path,
    NEARWIRE_FLOOR: '/bin/false',
  });
  expect(code).toBe(1);
  expect(stdout).toContain('failed: server of rtt c over unix exited with 1');
  const json = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
  expect(new Set(json.cells.map(({ subject }) => subject))).toEqual(new Set(['node:net']));
  expect(runs.leftovers('nearwire-bench-')).toEqual([]);
});

describe.skipIf(floor === undefined || addon === undefined)('load short of the limit', () => {
  let folder = '';
  let cli: CliResult;
  let json: JsonFile;

  beforeAll(async () => {
    folder = join(runs.path, 'hdr');
    const file = join(runs.path, 'load.json');
    const words = ['--quick', '--rounds', '2', '--cases', 'load', '--subjects', 'native,node:net'];
    cli = await runCli(['bench', ...words, '--json', file, '--hdr', folder], { TMPDIR: runs.path });
    if (cli.code === 0) json = JSON.parse(readFileSync(file, 'utf8')) as JsonFile;
  }, 120_000);

  test('is the same for all subjects, at shares of what node:net answers at most', () => {
    expect(cli.stdout).not.toContain('failed');
    expect(cli.code).toBe(0);
    const [tenth = NaN] = json.latencies.map(({ offered }) => offered);
    for (const { params, offered = NaN } of json.latencies) {
      expect(offered / tenth).toBeCloseTo(Number(params['load']) / 10, 1);
    }
    expect(json.latencies.map(({ subject }) => subject).sort()).toEqual(
      ['native', 'node:net'].flatMap((subject) => Array.from({ length: 5 }, () => subject)),
    );
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  });

  test('has every request of all rounds in one histogram, and the percentiles that there are enough of', () => {
    for (const { count, max, steps, percentiles, offered = NaN, rounds } of json.latencies) {
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

  test('tells the CPU of both ends, and how many were answered in time', () => {
    for (const measure of ['cpu', 'clientCpu', 'inTime']) {
      const cells = json.cells.filter((cell) => cell.measure === measure);
      expect(cells).toHaveLength(10);
      for (const { median: value } of cells) expect(value).toBeGreaterThan(0);
    }
    for (const { samples, measure } of json.cells)
      if (measure === 'inTime') expect(Math.max(...samples)).toBeLessThanOrEqual(100);
  });

  test('has each round with its warm-up, and no latencies twice', () => {
    expect(json.samples).toHaveLength(20);
    for (const sample of json.samples) {
      expect(sample).not.toHaveProperty('latency');
      expect(sample.warmUp?.windows).toBeGreaterThanOrEqual(8);
    }
  });

  test('is one table on the terminal, the figures of each load below each other, and a distribution file each', () => {
    expect(cli.stdout).toMatch(/no work, unix *│ *native *│ *node:net/);
    for (const load of [10, 25, 50, 75, 90])
      expect(cli.stdout).toMatch(new RegExp(`│ at ${String(load)} % \\(.*/s\\) p50 +│ +[\\d.]+ [um]s`));
    expect(cli.stdout).toMatch(/at 75 % of node:net's maximum p99 is [\d.]+ [um]s \(native\) against [\d.]+ [um]s/);
    const files = readdirSync(folder);
    expect(files).toHaveLength(10);
    expect(files).toContain('load-unix-no-work-at-75-node-net.hgrm');
  });
});

test('a folder that can not be had is told before anything is run', async () => {
  const { code, stderr } = await runCli(['bench', '--hdr', '/dev/null/hdr'], { TMPDIR: runs.path });
  expect(code).toBe(2);
  expect(stderr).toContain('--hdr /dev/null/hdr');
});

test.skipIf(floor === undefined)(
  'where the maximum of node:net can not be had, that is told and the rest is run',
  async () => {
    const file = join(runs.path, 'no-maximum.json');
    const words = ['--quick', '--rounds', '1', '--cases', 'rtt,load', '--families', 'unix', '--subjects', 'node:net'];
    const { code, stdout } = await runCli(['bench', ...words, '--json', file], {
      TMPDIR: runs.path,
      NEARWIRE_FLOOR: '/bin/false',
    });
    expect(code).toBe(1);
    expect(stdout).toContain('failed: client of load node:net over unix exited with 1');
    const json = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
    expect(new Set(json.cells.map((cell) => cell.case))).toEqual(new Set(['rtt']));
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  },
);

/** Without a subject: what every machine with a compiler has. */
const COPIES_OR_NOT = ['c', 'c-send', 'node:net'];

describe.skipIf(floor === undefined)('cases in which bytes go by reference', () => {
  let cli: CliResult;
  let json: JsonResult;

  beforeAll(async () => {
    const file = join(runs.path, 'reference.json');
    const words = ['--rounds', '1', '--cases', 'file,page,relay', '--json', file];
    cli = await runCli(['bench', ...words], { TMPDIR: runs.path });
    if (cli.code === 0) json = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;
  }, 120_000);

  test('succeed and leave nothing behind', () => {
    expect(cli.stdout).not.toContain('failed');
    expect(cli.code).toBe(0);
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  });

  const subjectsOf = (name: string, bytes: number, measure: string): Set<string> =>
    new Set(
      json.cells
        .filter((cell) => cell.case === name && cell.measure === measure && cell.params['bytes'] === bytes)
        .map(({ subject }) => subject),
    );

  test('have the cells that acceptance looks for, and the floors beside them', () => {
    for (const name of ['file', 'page', 'relay']) {
      for (const bytes of name === 'relay' ? [65536] : [65536, 1048576]) {
        for (const measure of ['rate', 'cpu']) {
          const subjects = subjectsOf(name, bytes, measure);
          for (const subject of COPIES_OR_NOT) expect(subjects).toContain(subject);
          expect(subjects.has('nginx')).toBe(name === 'file' && nginx !== undefined && process.platform === 'linux');
        }
      }
    }
    for (const { params } of json.cells) expect(Object.keys(params)).toEqual(['bytes']);
  });
});

test.skipIf(floor === undefined || process.platform !== 'linux')(
  'a crowd is as large as the system lets it, and its memory and its wait are told',
  async () => {
    const file = join(runs.path, 'crowd.json');
    const words = ['--rounds', '1', '--cases', 'crowd', '--subjects', 'c,c-send,node:net', '--json', file];
    // The whole crowd takes gigabytes: as many of them as there may be descriptors.
    const limited = ['-c', 'ulimit -n 1064 && exec "$0" "$@"', process.execPath, MAIN, 'bench', ...words];
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

test.skipIf(floor === undefined || process.platform !== 'linux')(
  'without nginx the others are measured, and it is told',
  async () => {
    const words = ['--quick', '--rounds', '1', '--cases', 'file', '--subjects', 'c,nginx'];
    const { code, stdout, stderr } = await runCli(['bench', ...words], {
      TMPDIR: runs.path,
      NEARWIRE_NGINX: join(runs.path, 'no-nginx'),
    });
    expect(stderr).toContain('nginx: not installed');
    expect(stdout).toMatch(/^file  /m);
    expect(code).toBe(0);
  },
);

test.skipIf(floor === undefined || nginx === undefined || process.platform !== 'linux')(
  'an nginx that does not start is told with what it says',
  async () => {
    const words = ['--quick', '--rounds', '1', '--cases', 'file', '--subjects', 'nginx,c'];
    const { code, stdout } = await runCli(['bench', ...words], { TMPDIR: runs.path, NEARWIRE_NGINX: '/bin/false' });
    expect(stdout).toContain('failed: server of file nginx over unix exited with 1');
    expect(stdout).toContain('nginx exited with 1');
    expect(stdout).toMatch(/^file  /m);
    expect(code).toBe(1);
    expect(runs.leftovers('nearwire-bench-')).toEqual([]);
  },
);

describe('a signal', () => {
  /** Process groups of the peers that have been seen: nginx's worker names no file. */
  const groups = new Set<string>();

  /** Processes whose command line names this test's runs.path, as the workers' addresses do, and what they have started. */
  function processes(): string[] {
    return readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      try {
        // After the name in brackets: state, parent, group.
        const [, state, group = ''] = /.*\) (\S+) \S+ (\S+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        // Whoever inherits what has ended may take its time to bury it.
        if (state === 'Z') return false;
        const named = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(runs.path);
        // The bench is of the test's group, and its peers each lead one.
        if (named && group === pid) groups.add(group);
        return named || groups.has(group);
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
  }

  const nginxRuns = (): boolean =>
    processes().some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('nginx: worker');
      } catch {
        return false;
      }
    });

  test.skipIf(process.platform !== 'linux').each([
    { signal: 'SIGINT' as const, code: 130 },
    { signal: 'SIGTERM' as const, code: 143 },
  ])('$signal leaves no process and no socket file, and what was measured is shown', async ({ signal, code }) => {
    const file = join(runs.path, `${signal}.json`);
    const words = [
      '--quick',
      '--rounds',
      '100',
      '--cases',
      'rtt',
      '--families',
      'unix',
      '--subjects',
      'node:net,js',
      '--json',
      file,
    ];
    const { child, result } = startCli(['bench', ...words], { TMPDIR: runs.path });
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

  test
    .skipIf(process.platform !== 'linux' || nginx === undefined || floor === undefined)
    .each(['SIGINT' as const, 'SIGKILL' as const])('%s ends an nginx that serves', async (signal) => {
    const words = ['--quick', '--rounds', '100', '--cases', 'file', '--subjects', 'nginx'];
    const { child, result } = startCli(['bench', ...words], { TMPDIR: runs.path });
    await until(nginxRuns);
    child.kill(signal);
    await result;
    await until(() => processes().length === 0);
    // What SIGKILL leaves is a folder of temporary files.
    if (signal === 'SIGINT') expect(runs.leftovers('nearwire-bench-')).toEqual([]);
    else for (const name of runs.leftovers('nearwire-bench-')) rmSync(join(runs.path, name), { recursive: true });
  });

  test.skipIf(process.platform !== 'linux' || floor === undefined)(
    'SIGINT before the rounds, while a maximum is measured, leaves nothing either',
    async () => {
      const words = ['--quick', '--rounds', '1', '--cases', 'load', '--families', 'unix'];
      const { child, result } = startCli(['bench', ...words], { TMPDIR: runs.path });
      await until(() => processes().length > 1);
      child.kill('SIGINT');
      const { code, stderr, stdout } = await result;
      expect(code).toBe(130);
      expect(stderr).not.toContain('round 1');
      expect(stdout).not.toContain('failed');
      expect(runs.leftovers('nearwire-bench-')).toEqual([]);
      expect(processes()).toEqual([]);
    },
  );

  test.skipIf(process.platform !== 'linux')('SIGKILL of the bench ends its children too', async () => {
    const words = ['--quick', '--rounds', '100', '--cases', 'rtt', '--families', 'unix', '--subjects', 'node:net'];
    const { child, result } = startCli(['bench', ...words], { TMPDIR: runs.path });
    await until(() => processes().length > 0);
    child.kill('SIGKILL');
    await result;
    await until(() => processes().length === 0);
  });
});
