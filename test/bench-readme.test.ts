import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import type { JsonResult } from '../bench/json.js';
import type { CellResult, MeasureName, RatioResult, SubjectName } from '../bench/model.js';
import { REFERENCES_FILE, referencesOf, renderReferences } from '../bench/readme/references.js';
import { isSweep, renderSweepBlock, SWEEP_FILE, sweepExcerptOf, type SweepExcerpt } from '../bench/readme/sweep.js';
import { blockOf, excerptOf, markerOf, renderBlock, replaceBlock, type Excerpt } from '../bench/readme/table.js';
import { madeUpSweep, MIB } from './support/sweeps.js';

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

function cell(name: string, measure: MeasureName, subject: SubjectName, value: number, unit: string): CellResult {
  return {
    ...{ case: name, params: { connections: 64 }, family: 'unix', subject, measure, unit, better: 'lower' },
    ...{ samples: [value], median: value },
  };
}

function ratio(name: string, measure: MeasureName, subject: SubjectName, baseline: SubjectName): RatioResult {
  return {
    ...{ case: name, params: { connections: 64 }, family: 'unix', measure, subject, baseline },
    ...{ median: 0.5, low: 0.4, high: 0.6, rounds: 7 },
  };
}

function madeUp(): JsonResult {
  return {
    schema: 1,
    host: { cpu: 'A CPU', cores: 2, kernel: 'Linux 6.1', load: 0, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    command: 'nearwire bench --json /home/me/x.json --rounds 7 --html=y.html',
    started: '2026-01-02T03:04:05.000Z',
    seconds: 100,
    cells: [
      cell('fanin', 'cpu', 'c', 1, 'us/message'),
      cell('fanin', 'cpu', 'native', 2, 'us/message'),
      cell('fanin', 'cpu', 'js', 4, 'us/message'),
      cell('fanin', 'cpu', 'node:net', 4, 'us/message'),
      cell('fanin', 'p99', 'native', 99, 'us'),
      { ...cell('http', 'rate', 'native', 2000, 'requests/s'), limitedBy: 'generator' },
      cell('storm', 'failed', 'native', 0, 'connections'),
      { ...cell('fanin', 'cpu', 'native', 7, 'us/message'), family: 'tcp' },
    ],
    ratios: [
      ratio('fanin', 'cpu', 'native', 'node:net'),
      ratio('fanin', 'cpu', 'native', 'c'),
      ratio('fanin', 'cpu', 'c', 'node:net'),
      { ...ratio('storm', 'failed', 'native', 'node:net'), median: 0, low: 0, high: 0, rounds: 3 },
    ],
  };
}

test('what the README shows is what the generator makes of the result beside it', () => {
  const excerpt = JSON.parse(read('bench/results/readme.json')) as Excerpt;
  // Else: npm run bench:readme -- RESULT.json
  expect(blockOf(read('README.md'))).toBe(renderBlock(excerpt));
});

describe('the excerpt', () => {
  test('has what the table shows, and no paths of the machine', () => {
    const excerpt = excerptOf(madeUp());
    expect(excerpt.command).toBe('nearwire bench --rounds 7');
    expect(excerpt.cells.map((entry) => `${entry.case} ${entry.measure} ${entry.subject} ${entry.family}`)).toEqual([
      ...['fanin cpu c unix', 'fanin cpu native unix', 'fanin cpu node:net unix'],
      ...['http rate native unix', 'storm failed native unix'],
    ]);
    expect(excerpt.ratios.map(({ case: name, baseline }) => `${name} ${baseline}`)).toEqual([
      'fanin node:net',
      'storm node:net',
    ]);
  });
});

describe('the block', () => {
  const block = renderBlock(excerptOf(madeUp()));

  test('has values, and ratios with their spread', () => {
    const cells = (title: string): string[] =>
      (block.split('\n').find((line) => line.startsWith(`| ${title}`)) ?? '').split('|').map((text) => text.trim());
    expect(cells('over UNIX')).toEqual(['', 'over UNIX sockets', 'node:net', 'native', 'channel', 'plain C', '']);
    expect(cells('64 connections').slice(2, 6)).toEqual(['4.00 us', '2.00 us (0.50x, 0.40 to 0.60)', '', '1.00 us']);
    // The load generator was the limit: the server could do more.
    expect(cells('the same').slice(3, 4)).toEqual(['over 2.00 k/s']);
    expect(cells('4,096 connects').slice(3, 4)).toEqual(['0']);
  });

  test('says when, where, on what and how it was measured', () => {
    expect(block.replaceAll('\n', ' ')).toContain(
      'Medians of 3 to 7 rounds; in brackets the ratio to `node:net`, taken within each round, with the lowest and ' +
        'highest of the rounds. 2026-01-02, A CPU, 2 cores, Linux 6.1, Node 20.0.0, nearwire 0.1.0 (abc), ' +
        '`nearwire bench --rounds 7`.',
    );
  });

  test('is put between the markers, and nothing else changes', () => {
    const readme = read('README.md');
    const replaced = replaceBlock(readme, block);
    expect(blockOf(replaced)).toBe(block);
    expect(replaceBlock(replaced, blockOf(readme))).toBe(readme);
    expect(() => replaceBlock('# nearwire', block)).toThrow('the page has no');
  });

  test('is not made of a result without any of it', () => {
    expect(() => renderBlock(excerptOf({ ...madeUp(), cells: [] }))).toThrow('none of the cases');
  });
});

describe('the table of what goes by reference', () => {
  const bytes = { params: { bytes: 1048576 } };

  function withFiles(): JsonResult {
    const result = madeUp();
    const cells = [
      { ...cell('file', 'cpu', 'c', 40, 'us/request'), ...bytes },
      { ...cell('file', 'cpu', 'nginx', 60, 'us/request'), ...bytes },
      { ...cell('file', 'cpu', 'native', 80, 'us/request'), ...bytes },
      { ...cell('file', 'cpu', 'node:net', 800, 'us/request'), ...bytes },
      { ...cell('file', 'rate', 'native', 12_000, 'requests/s'), ...bytes, limitedBy: 'generator' as const },
      { ...cell('file', 'cpu', 'native', 9, 'us/request'), ...bytes, family: 'tcp' as const },
    ];
    const ratios = [
      { ...ratio('file', 'cpu', 'native', 'node:net'), ...bytes, median: 0.1, low: 0.09, high: 0.11 },
      { ...ratio('file', 'cpu', 'native', 'c'), ...bytes, median: 2, low: 1.9, high: 2.1 },
      { ...ratio('file', 'cpu', 'nginx', 'c'), ...bytes },
    ];
    return { ...result, cells: [...result.cells, ...cells], ratios: [...result.ratios, ...ratios] };
  }

  test('has native against both baselines, and who else there is', () => {
    const excerpt = referencesOf(withFiles());
    const lines = excerpt ? renderReferences(excerpt).split('\n') : [];
    const cells = (title: string): string[] =>
      (lines.find((line) => line.startsWith(`| ${title}`)) ?? '').split('|').map((text) => text.trim());
    expect(cells('file, 1 MiB: CPU').slice(2, -1)).toEqual([
      ...['800 us', '80.0 us', '0.10x (0.09 to 0.11)', '40.0 us', '2.00x (1.90 to 2.10)', '', '60.0 us'],
    ]);
    expect(cells('file, 1 MiB: rate')[3]).toBe('over 12.0 k/s');
    expect(lines.filter((line) => line.startsWith('| '))).toHaveLength(4);
    expect(lines.at(-1)).toContain('`nearwire bench --rounds 7`');
  });

  test('is not made of a result that lacks a side of it', () => {
    expect(referencesOf(madeUp())).toBeUndefined();
    const { ratios, ...rest } = withFiles();
    expect(referencesOf({ ...rest, ratios: ratios.filter(({ baseline }) => baseline !== 'c') })).toBeUndefined();
  });

  test('stands in docs/zero-copy.md as it is made of the result beside it, or nowhere', () => {
    const page = existsSync(new URL('../docs/zero-copy.md', import.meta.url)) ? read('docs/zero-copy.md') : '';
    const recorded = existsSync(new URL(`../bench/results/${REFERENCES_FILE}`, import.meta.url));
    // Else: npm run bench:readme -- RESULT.json
    expect(recorded).toBe(page.includes(markerOf(REFERENCES_FILE)));
    if (!recorded) return;
    const excerpt = JSON.parse(read(`bench/results/${REFERENCES_FILE}`)) as Excerpt;
    expect(blockOf(page, REFERENCES_FILE)).toBe(renderReferences(excerpt));
  });
});

describe('the tables of the sweep', () => {
  const sweep = {
    schema: 1 as const,
    ...madeUpSweep(
      [
        { buffer: 'default', rates: [1e9, 1e9, 1e9], held: 7000 },
        { buffer: MIB, rates: [1.5e9, 1.4e9, 1.6e9], held: 100 },
        { subject: 'js', buffer: 'default', rates: [1e9, 1e9, 1e9], held: 7000 },
        { subject: 'js', buffer: MIB, rates: [1.02e9, 1.02e9, 1.02e9], held: 7000 },
      ],
      '--json /home/me/x.json --rounds 3',
    ),
  };

  test('have the conclusions, the figures of one size, and no paths of the machine', () => {
    expect(isSweep(sweep)).toBe(true);
    expect(isSweep(madeUp())).toBe(false);
    const lines = renderSweepBlock(sweepExcerptOf(sweep)).split('\n');
    const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').map((text) => text.trim()));
    expect(rows).toContainEqual(['', '1 MiB', '**1 MiB**: 1.50x (1.40 to 1.60)', 'no change: best 1.02x', '']);
    expect(rows).toContainEqual(['', '1 MiB', '1 MiB', 'none', '']);
    const figures = ['1.50 GB/s; 667 us; 66.7 us', '1.02 GB/s; 980 us; 98.0 us'];
    expect(rows).toContainEqual(['', '1 MiB', '2.00 MiB', '1.95 GiB', ...figures, '']);
    expect(lines).toContain('nearwire 0.1.0 (abc), `nearwire tune --rounds 3`.');
    expect(lines.at(-1)).toMatch(/^Note: /);
  });

  test('stand in docs/tuning-sweep.md as they are made of the result beside it', () => {
    // Else: npm run bench:readme -- RESULT.json
    const excerpt = JSON.parse(read(`bench/results/${SWEEP_FILE}`)) as SweepExcerpt;
    expect(blockOf(read('docs/tuning-sweep.md'), SWEEP_FILE)).toBe(renderSweepBlock(excerpt));
  });
});
