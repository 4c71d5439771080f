import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { beforeAll, describe, expect, test } from 'vitest';

import { median } from '../bench/statistics.js';
import type { SweepJson } from '../bench/tune/json.js';
import type { CellResult } from '../bench/tune/model.js';
import { runCli, startCli, type Cli, type CliResult } from './support/cli.js';
import { folderForRuns, until } from './support/command-runs.js';
import { requireOrSkip } from './support/requirements.js';

const addon = requireOrSkip('addon');
const isLinux = process.platform === 'linux';

const KIB = 1024;
/** More than any net.core.wmem_max that is likely, and what an int has room for when it is doubled. */
const TOO_LARGE = 512 * KIB * KIB;

const runs = folderForRuns();

function readResult(file: string): SweepJson {
  return JSON.parse(readFileSync(file, 'utf8')) as SweepJson;
}

describe('words that make no sense exit 2 with a hint', () => {
  test.each([
    { words: ['tune', '--quik'], hint: 'Did you mean --quick?' },
    { words: ['tune', 'native'], hint: 'too many arguments' },
    { words: ['tune', '--subjects', 'pages'], hint: 'Did you mean page?' },
    { words: ['tune', '--subjects', ''], hint: 'There are: native, js, file, page' },
    { words: ['tune', '--buffers', '64q'], hint: '--buffers takes sizes from 4096 to 1073741824 bytes' },
    { words: ['tune', '--buffers', '1k'], hint: '--buffers takes sizes from 4096' },
    { words: ['tune', '--buffers', '2g'], hint: '--buffers takes sizes from 4096' },
    { words: ['tune', '--buffers', '64k,,1m'], hint: "not ''" },
    { words: ['tune', '--buffers', 'defualt'], hint: "not 'defualt'" },
    { words: ['tune', '--sizes', 'default'], hint: '--sizes takes sizes from 1' },
    { words: ['tune', '--sizes', '0'], hint: '--sizes takes sizes from 1' },
    { words: ['tune', '--sizes', '-64k'], hint: '--sizes takes sizes from 1' },
    { words: ['tune', '--sizes', '1.5m'], hint: '--sizes takes sizes from 1' },
    { words: ['tune', '--sizes', '300m'], hint: '--sizes takes sizes from 1' },
    { words: ['tune', '--rounds', '0'], hint: 'a whole number from 1' },
    { words: ['tune', '--json'], hint: 'argument missing' },
    { words: ['tune', '--html', '/no-such-folder/x.html'], hint: 'cannot write into /no-such-folder' },
  ])('$words', async ({ words, hint }) => {
    const { code, stdout, stderr } = await runCli(words);
    expect(stderr).toContain(hint);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});

test('without the addon nothing is measured, and the reason is told', async () => {
  const { code, stdout, stderr } = await runCli(['tune', '--quick'], { NEARWIRE_ADDON: join(runs.path, 'no-addon') });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('native: the addon did not load');
});

describe.skipIf(addon === undefined)('a real sweep', () => {
  let cli: CliResult;
  let json: SweepJson;
  let page = '';

  beforeAll(async () => {
    const [file, html] = [join(runs.path, 'result.json'), join(runs.path, 'result.html')];
    const words = ['tune', '--quick', '--rounds', '1', '--sizes', '64k,1k', '--buffers', '64k,512m'];
    cli = await runCli([...words, '--json', file, '--html', html], { TMPDIR: runs.path });
    if (cli.code === 0) json = readResult(file);
    if (cli.code === 0) page = readFileSync(html, 'utf8');
  }, 120_000);

  test('succeeds and leaves nothing behind', () => {
    expect(cli.stdout).not.toContain('failed');
    expect(cli.code).toBe(0);
    expect(runs.leftovers('nearwire-tune-')).toEqual([]);
  });

  test('writes an object of known shape', () => {
    expect(Object.keys(json).sort()).toEqual(
      [
        ...['schema', 'host', 'versions', 'command', 'started', 'seconds', 'family', 'platform', 'subjects', 'sizes'],
        ...['buffers', 'rounds', 'limits', 'cells', 'conclusions', 'settings', 'warnings', 'skipped', 'failures'],
        'interrupted',
      ].sort(),
    );
    expect(json).toMatchObject({ schema: 1, family: 'unix', rounds: 1, failures: [], interrupted: false });
    expect(json).toMatchObject({ sizes: [KIB, 64 * KIB], buffers: ['default', 64 * KIB, TOO_LARGE] });
    expect(json.command).toMatch(/^nearwire tune --quick/);
    expect(new Date(json.started).toISOString()).toBe(json.started);
  });

  test('has every cell once, but for pages that would be copied, and figures in all', () => {
    const expected = ['native', 'js', 'file', 'page'].flatMap((subject) =>
      [KIB, 64 * KIB]
        .filter((size) => subject !== 'page' || size > KIB)
        .flatMap((size) => ['default', 64 * KIB, TOO_LARGE].map((buffer) => [subject, size, buffer])),
    );
    expect(json.cells.map(({ subject, size, buffer }) => [subject, size, buffer])).toEqual(expected);
    for (const { measures, rounds, relative } of json.cells) {
      expect(Object.keys(measures)).toEqual(['rate', 'p50', 'p99', 'cpu', 'held']);
      expect(rounds).toEqual([0]);
      for (const { samples, median: middle } of Object.values(measures)) {
        expect(samples).toHaveLength(1);
        expect(middle).toBe(median(samples));
        expect(middle).toBeGreaterThan(0);
      }
      expect(measures.p50.median).toBeLessThanOrEqual(measures.p99.median);
      expect(relative?.rounds).toBe(1);
    }
    expect(json.skipped.join()).toContain('page: 1 KiB left out');
  });

  test.skipIf(!isLinux)('reads the buffers back, and finds the one that was cut', () => {
    const limit = Number(readFileSync('/proc/sys/net/core/wmem_max', 'utf8'));
    const usual = Number(readFileSync('/proc/sys/net/core/wmem_default', 'utf8'));
    expect(limit).toBeLessThan(TOO_LARGE);
    expect(json.limits.mostBuffer).toBe(limit);
    const setOf = (cells: readonly CellResult[]): number[] => [...new Set(cells.map(({ set }) => set))];
    const of = (buffer: number | 'default'): CellResult[] => json.cells.filter((cell) => cell.buffer === buffer);
    expect(setOf(of('default'))).toEqual([usual]);
    expect(setOf(of(64 * KIB))).toEqual([128 * KIB]);
    expect(setOf(of(TOO_LARGE))).toEqual([2 * limit]);
    for (const cell of json.cells) {
      expect(cell.clamped).toBe(cell.buffer === TOO_LARGE);
      // What a program has set does not grow.
      if (cell.buffer !== 'default') expect(cell.effective).toBe(cell.set);
      expect(cell.memory).toBe(1000 * cell.effective);
    }
    expect(cli.stdout).toContain('512 MiB*');
    expect(cli.stdout).toContain(`(${String(limit)} is the most it takes)`);
  });

  test('has a conclusion for each response of each subject, which one round is too few for', () => {
    expect(json.conclusions).toHaveLength(7);
    for (const { buffer, reason, text } of json.conclusions) {
      expect({ buffer, reason }).toEqual({ buffer: 'default', reason: 'few' });
      expect(text).toContain('too few rounds');
    }
  });

  test('shows it on the terminal, and as a page', () => {
    // Not on a terminal: plain text.
    expect(stripVTControlCharacters(cli.stdout)).toBe(cli.stdout);
    for (const name of ['native', 'js', 'file', 'page'])
      expect(cli.stdout).toMatch(new RegExp(`^${name}  socket`, 'm'));
    expect(cli.stdout).toMatch(/default .*\d [GMk]?B\/s/);
    expect(cli.stdout).toContain('Which send buffer for which response');
    expect(cli.stdout).toContain('To set it');
    expect(page).toContain('id="heat-native"');
  });
});

test.skipIf(addon === undefined)('over TCP too', async () => {
  const file = join(runs.path, 'tcp.json');
  const words = ['tune', '--quick', '--rounds', '1', '--sizes', '16k', '--buffers', '256k', '--tcp', '--json', file];
  const { code, stdout } = await runCli([...words, '--subjects', 'native,js,page'], { TMPDIR: runs.path });
  expect(code).toBe(0);
  expect(stdout).toContain('over TCP');
  const { family, cells } = readResult(file);
  expect(family).toBe('tcp');
  expect(cells).toHaveLength(6);
  if (!isLinux) return;
  for (const { set } of cells.filter(({ buffer }) => buffer !== 'default')) expect(set).toBe(512 * KIB);
});

/** The processes that a process has started and that are still there, and what they were started with. */
function childrenOf(parent: number): { pid: number; words: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // After the name in brackets: state, parent.
      const [, state, of] = /.*\) (\S+) (\S+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      if (state === 'Z' || Number(of) !== parent) return [];
      return [{ pid: Number(name), words: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** Ended, or waiting to be buried by whoever inherited it. */
function hasEnded(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

describe.skipIf(addon === undefined || !isLinux)('an end before its time', () => {
  /** The sweep, when its first round has been measured, and the processes of the second one. */
  async function startSweep(words: readonly string[]): Promise<Cli & { children: ReturnType<typeof childrenOf> }> {
    const small = [
      'tune',
      '--quick',
      '--rounds',
      '100',
      '--subjects',
      'native,js',
      '--sizes',
      '1k',
      '--buffers',
      '64k',
    ];
    const cli = startCli([...small, ...words], { TMPDIR: runs.path });
    await new Promise<void>((resolve) => {
      let text = '';
      cli.child.stderr?.on('data', (part: string) => {
        text += part;
        if (text.includes('round 2 of 100')) resolve();
      });
    });
    let children: ReturnType<typeof childrenOf> = [];
    await until(() => {
      children = childrenOf(cli.child.pid ?? 0);
      return children.length === 3;
    });
    return { ...cli, children };
  }

  test.each([
    { signal: 'SIGINT' as const, code: 130 },
    { signal: 'SIGTERM' as const, code: 143 },
  ])('$signal leaves no process and no file, and what was measured is shown', async ({ signal, code }) => {
    const file = join(runs.path, `${signal}.json`);
    const { child, result, children } = await startSweep(['--json', file]);
    child.kill(signal);
    const ended = await result;
    expect(ended.code).toBe(code);
    expect(ended.stdout).toContain('interrupted');
    expect(runs.leftovers('nearwire-tune-')).toEqual([]);
    await until(() => children.every(({ pid }) => hasEnded(pid)));
    const { interrupted, cells, failures } = readResult(file);
    expect({ interrupted, failures }).toEqual({ interrupted: true, failures: [] });
    expect(cells).toHaveLength(4);
  });

  test('SIGKILL ends the processes too', async () => {
    const { child, result, children } = await startSweep([]);
    child.kill('SIGKILL');
    await result;
    await until(() => children.every(({ pid }) => hasEnded(pid)));
    // What SIGKILL leaves is a folder of temporary files.
    for (const name of runs.leftovers('nearwire-tune-')) rmSync(join(runs.path, name), { recursive: true });
  });

  test('a server that dies is told, and the others are measured', async () => {
    const file = join(runs.path, 'died.json');
    const words = ['tune', '--quick', '--rounds', '2', '--subjects', 'native,js', '--sizes', '1k', '--buffers', '64k'];
    const { child, result } = startCli([...words, '--json', file], { TMPDIR: runs.path });
    let server: number | undefined;
    await until(() => {
      server = childrenOf(child.pid ?? 0).find(({ words: text }) => text.includes('--subject js'))?.pid;
      return server !== undefined;
    });
    process.kill(server ?? 0, 'SIGKILL');
    const { code, stdout } = await result;
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed: .* 1 KiB with /);
    const { cells, failures } = readResult(file);
    expect(failures).toHaveLength(1);
    expect(new Set(cells.map(({ subject }) => subject))).toEqual(new Set(['native', 'js']));
    expect(runs.leftovers('nearwire-tune-')).toEqual([]);
  });
});
