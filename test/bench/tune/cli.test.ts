import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { beforeAll, describe, expect, test } from 'vitest';

import type { SweepJson } from '../../../bench/tune/sweep.js';
import { runCli, startCli, type CliResult } from '../../support/cli.js';
import { folderForRuns, until } from '../../support/command-runs.js';
import { requireOrSkip } from '../../support/requirements.js';

const addon = requireOrSkip('addon');
const isLinux = process.platform === 'linux';

const KIB = 1024;
const MIB = KIB * KIB;
/** More than any net.core.wmem_max that is likely; an int has room for its double. */
const TOO_LARGE = 512 * KIB * KIB;

const runs = folderForRuns();

function readResult(file: string): SweepJson {
  return JSON.parse(readFileSync(file, 'utf8')) as SweepJson;
}

describe('words that make no sense exit 2 with a hint', () => {
  test.each([
    { words: ['tune', '--quik'], hint: 'Did you mean --quick?' },
    { words: ['tune', '--subjects', 'pages'], hint: 'Did you mean page? Known: native, js, file, page' },
    { words: ['tune', '--buffers', '64q'], hint: '--buffers takes sizes from 4096 to 1073741824 bytes' },
    { words: ['tune', '--buffers', '2g'], hint: '--buffers takes sizes from 4096' },
    { words: ['tune', '--buffers', 'defualt'], hint: "not 'defualt'" },
    { words: ['tune', '--sizes', '0'], hint: '--sizes takes sizes from 1' },
    { words: ['tune', '--sizes', '300m'], hint: '--sizes takes sizes from 1' },
    { words: ['tune', '--rounds', '0'], hint: 'a whole number from 1' },
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
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain('the addon, which sets send buffers, did not load');
});

describe.skipIf(addon === undefined)('a real sweep', () => {
  let cli: CliResult;
  let json: SweepJson;
  let page = '';

  beforeAll(async () => {
    const [file, html] = [join(runs.path, 'result.json'), join(runs.path, 'result.html')];
    const words = ['tune', '--quick', '--rounds', '1', '--sizes', '64k,1k,1m', '--buffers', '64k,512m'];
    cli = await runCli([...words, '--json', file, '--html', html], { TMPDIR: runs.path });
    if (cli.code === 0) json = readResult(file);
    if (cli.code === 0) page = readFileSync(html, 'utf8');
  }, 120_000);

  test("writes the bench's file with what it found, and leaves nothing else behind", () => {
    expect(cli.stdout).not.toContain('failed');
    expect(cli.code).toBe(0);
    expect(runs.leftovers('nearwire-')).toEqual([]);
    expect(json).toMatchObject({ schema: 1, failures: [], interrupted: false });
    expect(json.command).toMatch(/^nearwire tune --quick/);
    const found = ['samples', 'latencies', 'conclusions', 'settings', 'limits', 'takes'];
    expect(Object.keys(json)).toEqual(expect.arrayContaining(found));
  });

  test('has every cell once, but for pages that would be copied', () => {
    const sizes = [KIB, 64 * KIB, MIB];
    const expected = ['http-same native', 'http-same node:net', 'file native', 'page native'].flatMap((name) =>
      sizes
        .filter((bytes) => !name.startsWith('page') || bytes > KIB)
        .flatMap((bytes) => ['', ' 64 KiB', ' 512 MiB'].map((buffer) => `${name}${buffer} ${String(bytes)}`)),
    );
    const rates = json.cells.filter(({ measure }) => measure === 'rate');
    const found = rates.map((cell) => `${cell.case} ${cell.subject} ${String(cell.params['bytes'])}`);
    expect(found.sort()).toEqual(expected.sort());
    for (const { samples, median } of json.cells) expect(samples).toEqual([median]);
    expect(json.skipped.join()).toContain('page: 1 KiB left out');
  });

  test('finds what each buffer takes of a response that nobody reads', () => {
    expect(json.takes.map(({ way, buffer }) => [way, buffer])).toEqual(
      ['native', 'js', 'file', 'page'].flatMap((way) =>
        ['default', 64 * KIB, TOO_LARGE].map((buffer) => [way, buffer]),
      ),
    );
    for (const { buffer, bytes, set, effective, tried, way } of json.takes) {
      expect(tried).toBe(MIB);
      // What a program has set does not grow.
      if (buffer !== 'default') expect(effective, way).toBe(set);
      const small = json.takes.find((take) => take.way === way && take.buffer === 64 * KIB)?.bytes ?? NaN;
      if (buffer === TOO_LARGE) expect(bytes, way).toBeGreaterThan(small);
      if (buffer === 64 * KIB) expect(bytes, way).toBeLessThan(2 * set);
      expect(bytes, way).toBeGreaterThan(KIB);
    }
    expect(json.conclusions).toHaveLength(11);
    for (const { way, bytes, buffer, reason, whole } of json.conclusions) {
      expect({ buffer, reason }, way).toEqual({ buffer: 'default', reason: 'few' });
      if (bytes === KIB) expect(whole, way).toBe('default');
    }
  });

  test.skipIf(!isLinux)('reads the buffers back, and finds the one that was cut', () => {
    const limit = Number(readFileSync('/proc/sys/net/core/wmem_max', 'utf8'));
    const usual = Number(readFileSync('/proc/sys/net/core/wmem_default', 'utf8'));
    expect(limit).toBeLessThan(TOO_LARGE);
    expect(json.limits.mostBuffer).toBe(limit);
    for (const { buffer, set, clamped, way } of json.takes) {
      expect(set, way).toBe(buffer === 'default' ? usual : 2 * Math.min(buffer, limit));
      expect(clamped).toBe(buffer === TOO_LARGE);
    }
    expect(cli.stdout).toContain('512 MiB (cut)');
    expect(cli.stdout).toContain(`(${String(limit)} is the most it takes)`);
  });

  test('shows it on the terminal, and as a page', () => {
    // Not on a terminal: plain text.
    expect(stripVTControlCharacters(cli.stdout)).toBe(cli.stdout);
    for (const title of ['Which send buffer for which response', 'What a send buffer holds', 'To set it']) {
      expect(cli.stdout).toContain(title);
    }
    for (const id of ['conclusions', 'takes', 'settings', 'heat-native', 'heat-js', 'http-same', 'file', 'page']) {
      expect(page).toContain(`id="${id}"`);
    }
  });
});

test.skipIf(addon === undefined)('over TCP too, as JSON in a file in place of stdout', async () => {
  const file = join(runs.path, 'tcp.json');
  const words = [
    'tune',
    '--quick',
    '--rounds',
    '1',
    '--sizes',
    '16k',
    '--buffers',
    '256k',
    '--families',
    'tcp',
    '--json',
    '--output',
    file,
  ];
  const { code, stdout } = await runCli([...words, '--subjects', 'native,js,page'], { TMPDIR: runs.path });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  const { cells, takes } = readResult(file);
  expect(cells.filter(({ family, measure }) => family === 'tcp' && measure === 'rate')).toHaveLength(6);
  if (!isLinux) return;
  for (const { set } of takes.filter(({ buffer }) => buffer !== 'default')) expect(set).toBe(512 * KIB);
});

test.skipIf(addon === undefined)('ended before its time, it shows what was measured, and leaves nothing', async () => {
  const file = join(runs.path, 'ended.json');
  const words = ['tune', '--quick', '--rounds', '100', '--subjects', 'native', '--sizes', '1k', '--buffers', '64k'];
  const { child, result } = startCli([...words, '--json', file], { TMPDIR: runs.path });
  let text = '';
  child.stderr?.on('data', (part: string) => {
    text += part;
  });
  await until(() => text.includes('round 2 of 100'));
  child.kill('SIGINT');
  const { code, stdout } = await result;
  expect(code).toBe(130);
  expect(stdout).toContain('interrupted');
  expect(runs.leftovers('nearwire-')).toEqual([]);
  expect(readResult(file)).toMatchObject({ interrupted: true, conclusions: [{ reason: 'few' }] });
});
