import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import type { JsonResult } from '../bench/json.js';
import type { CellResult, MeasureName, RatioResult, SubjectName } from '../bench/model.js';
import { excerptsOf, type Excerpt, type Recorded } from '../bench/readme/excerpt.js';
import { beyondLimit, renderLosses } from '../bench/readme/losses.js';
import { blockOf, markerOf, replaceBlock } from '../bench/readme/markdown.js';
import { REFERENCES_FILE, referencesOf, renderReferences } from '../bench/readme/references.js';
import { isSweep, renderSweepBlock, SWEEP_FILE, sweepExcerptOf, type SweepExcerpt } from '../bench/readme/sweep.js';
import { excerptOf, renderBlock } from '../bench/readme/table.js';
import { sweepJsonOf } from '../bench/tune/sweep.js';
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

describe('the result that is recorded', () => {
  const excerpts = excerptsOf(JSON.parse(read('bench/results/readme.json')) as Recorded);

  test('is what the README and docs/performance.md show', () => {
    // Else: npm run bench:readme -- RESULT.json
    expect(blockOf(read('README.md'))).toBe(renderBlock(excerpts));
    expect(blockOf(read('docs/performance.md'))).toBe(renderLosses(excerpts));
  });

  test('has plain C as the limit that it is called, and tells its losses', () => {
    for (const { started, losses, ratios } of excerpts) {
      // Until then plain C copied where references would do, and no ratio to it was recorded.
      const wasNoLimit = started < '2026-11-30';
      expect(losses === undefined).toBe(wasNoLimit);
      expect(ratios.every(({ baseline }) => baseline !== 'c')).toBe(wasNoLimit);
      expect(beyondLimit(ratios)).toEqual([]);
    }
  });
});

describe('the limit', () => {
  const against = (over: Partial<RatioResult>): string[] =>
    beyondLimit([{ ...ratio('fanin', 'cpu', 'native', 'c'), ...over }]);

  test('is none where all rounds agree that another is better', () => {
    expect(against({})).toEqual(['fanin, 64 connections: cpu: native 0.50x (0.40 to 0.60) of plain C']);
    expect(against({ measure: 'rate', median: 1.5, low: 1.1, high: 1.6 })).toHaveLength(1);
  });

  test('is one where rounds differ on it, where it is better, and against others', () => {
    expect(against({ high: 1.1 })).toEqual([]);
    expect(against({ median: 2, low: 1.5, high: 3 })).toEqual([]);
    expect(against({ measure: 'rate' })).toEqual([]);
    expect(against({ baseline: 'node:net' })).toEqual([]);
    // What is held back on the side of plain C may be no better.
    expect(against({ measure: 'rate', median: 1.5, low: 1.1, high: 1.6, bound: '<=' })).toEqual([]);
  });
});

describe('the losses', () => {
  const found = (...ratios: RatioResult[]): string[] =>
    (excerptOf({ ...madeUp(), ratios }).losses ?? []).map(({ measure, family, baseline, subject }) =>
      [measure, family, subject, baseline].join(' '),
    );
  const worse = { median: 1.2, low: 1.1, high: 1.3 };
  const of = (over: Partial<RatioResult>): RatioResult => ({ ...ratio('fanin', 'cpu', 'native', 'node:net'), ...over });

  test('are those that rounds agree on and those that hardly differ from 1, whatever the tables show', () => {
    expect(found(of(worse))).toEqual(['cpu unix native node:net']);
    expect(found(of({ ...worse, family: 'tcp', measure: 'p99' }))).toEqual(['p99 tcp native node:net']);
    expect(found(of({ ...worse, subject: 'channel', baseline: 'node:net tuned' }))).toHaveLength(1);
    expect(found(of({ measure: 'rate' }))).toHaveLength(1);
    for (const median of [0.971, 1, 1.029]) expect(found(of({ median, low: 0.9, high: 1.1 }))).toHaveLength(1);
  });

  test('are not gains, what rounds differ on, and what is not ours', () => {
    expect(found(of({}))).toEqual([]);
    expect(found(of({ ...worse, low: 0.9 }))).toEqual([]);
    expect(found(of({ ...worse, rounds: 2 }))).toEqual([]);
    expect(found(of({ ...worse, subject: 'c' }), of({ ...worse, baseline: 'c' }))).toEqual([]);
  });

  test('stand in a table, a row for each place and a column for each that loses there', () => {
    const losses = [
      of({ ...worse, family: 'tcp' }),
      of({ median: 1.01, low: 0.9, high: 1.1, baseline: 'node:net tuned', family: 'tcp' }),
      { ...of({ median: 0.98, low: 0.9, high: 1.2 }), case: 'rtt', params: { bytes: 64 }, measure: 'p50' as const },
    ];
    const rows = renderLosses([{ ...excerptOf(madeUp()), losses }])
      .split('\n')
      .map((line) => line.split('|').map((text) => text.trim()));
    expect(rows[0]).toEqual(['', 'where', 'native to node:net', 'native to node:net tuned', '']);
    expect(rows.slice(2, 4)).toEqual([
      ['', 'rtt, 64 B: p50', '0.98x (0.90 to 1.20)', '', ''],
      ['', 'fanin, 64 connections, TCP: cpu', '1.20x (1.10 to 1.30), worse', '1.01x (0.90 to 1.10)', ''],
    ]);
    expect(renderLosses([{ ...excerptOf(madeUp()), losses: undefined }])).toContain('does not tell');
  });
});

describe('the excerpt', () => {
  test('has what the table shows, and no paths of the machine', () => {
    const excerpt = excerptOf(madeUp());
    expect(excerpt.command).toBe('nearwire bench --rounds 7');
    expect(excerpt.cells.map((entry) => `${entry.case} ${entry.measure} ${entry.subject} ${entry.family}`)).toEqual([
      ...['fanin cpu c unix', 'fanin cpu native unix', 'fanin cpu node:net unix'],
      ...['http rate native unix', 'storm failed native unix', 'fanin cpu native tcp'],
    ]);
    // Those to plain C are for whoever looks whether it was the limit.
    expect(excerpt.ratios.map(({ case: name, baseline }) => `${name} ${baseline}`)).toEqual([
      ...['fanin node:net', 'fanin c', 'storm node:net'],
    ]);
  });
});

describe('the block', () => {
  const block = renderBlock([excerptOf(madeUp())]);

  test('has values, and ratios with their spread', () => {
    const cells = (title: string): string[] =>
      (block.split('\n').find((line) => line.startsWith(`| ${title}`)) ?? '').split('|').map((text) => text.trim());
    expect(cells('over UNIX')).toEqual(['', 'over UNIX sockets', 'node:net', 'native', 'channel', 'plain C', '']);
    expect(cells('64 connections').slice(2, 6)).toEqual(['4.00 us', '2.00 us (0.50x, 0.40 to 0.60)', '', '1.00 us']);
    // The load generator was the limit: the server could do more.
    expect(cells('the same').slice(3, 4)).toEqual(['over 2.00 k/s']);
    expect(cells('4,096 connects').slice(3, 4)).toEqual(['0']);
  });

  test('has a table of what was measured over TCP, and the losses', () => {
    const [, overTcp = ''] = block.split('| over TCP');
    expect(overTcp).toMatch(/^\| 64 connections.*\| 7\.00 us +\|/m);
    expect(overTcp).toContain('### Where it gains nothing or loses');
    const { cells, losses, ...rest } = excerptOf(madeUp());
    expect(losses).toEqual([]);
    const before = renderBlock([{ ...rest, cells: cells.filter(({ family }) => family === 'unix') }]);
    expect(before).not.toMatch(/TCP|gains nothing/);
  });

  test('has node:net at its best beside it, and ours against both', () => {
    const result = madeUp();
    const tuned = renderBlock([
      excerptOf({
        ...result,
        cells: [...result.cells, cell('fanin', 'cpu', 'node:net tuned', 3, 'us/message')],
        ratios: [...result.ratios, { ...ratio('fanin', 'cpu', 'native', 'node:net tuned'), bound: '<=' }],
      }),
    ]);
    expect(tuned).toMatch(/^\| over UNIX sockets +\| node:net +\| node:net tuned \| native +\|/m);
    expect(tuned).toContain('| 4.00 us  | 3.00 us        | 2.00 us (0.50x, 0.40 to 0.60; <= 0.50x of tuned) |');
    expect(tuned.replaceAll('\n', ' ')).toContain('and the ratio to `node:net tuned`, which corks its writes');
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
    expect(() => renderBlock([excerptOf({ ...madeUp(), cells: [] })])).toThrow('none of the cases');
  });
});

describe('the block of several versions of Node', () => {
  const of = (node: string, started: string, median: number): Excerpt => {
    const result = madeUp();
    const losing = { ...ratio('fanin', 'cpu', 'channel', 'node:net'), median, low: median, high: median };
    const ratios = [...result.ratios, losing];
    return excerptOf({ ...result, versions: { ...result.versions, node }, started, ratios });
  };
  const block = renderBlock([
    of('24.1.0', '2026-01-02T03:04:05.000Z', 1.01),
    of('26.2.0', '2026-01-02T04:05:06.000Z', 1.2),
  ]);
  const cells = (title: string): string[] =>
    (block.split('\n').find((line) => line.startsWith(`| ${title}`)) ?? '').split('|').map((text) => text.trim());

  test('has their columns beside each other in one table, and plain C once', () => {
    const columns = ['24', '26'].flatMap((node) =>
      ['node:net', 'native', 'channel'].map((name) => `Node ${node}: ${name}`),
    );
    expect(cells('over UNIX').slice(1, -1)).toEqual(['over UNIX sockets', ...columns, 'plain C']);
    const figures = ['4.00 us', '2.00 us (0.50x, 0.40 to 0.60)', ''];
    expect(cells('64 connections').slice(2, -1)).toEqual([...figures, ...figures, '1.00 us']);
    expect(cells('over TCP').slice(2, -1)).toEqual([...columns, 'plain C']);
  });

  test('says where the first was measured, and when each was', () => {
    expect(block).toContain('2026-01-02, A CPU, 2 cores, Linux 6.1, Node 24.1.0,');
    expect(block).toContain('- Node 24.1.0: a run of its own, 2026-01-02 03:04 UTC');
    expect(block).toContain('- Node 26.2.0: a run of its own, 2026-01-02 04:05 UTC');
  });

  test('has the losses of all of them, and names the version', () => {
    expect(cells('fanin, 64 connections, Node 24: cpu')[2]).toBe('1.01x, worse');
    expect(cells('fanin, 64 connections, Node 26: cpu')[2]).toBe('1.20x, worse');
    expect(block).toContain('All ratios of those runs');
  });

  test('names them in full where that is what they differ in', () => {
    const alike = renderBlock([of('24.1.0', '2026-01-02', 1), of('24.2.0', '2026-01-03', 1)]);
    expect(alike).toContain('| Node 24.1.0: native');
    expect(alike).toContain('| Node 24.2.0: native');
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
  const usual = [1000, 1000, 1000];
  const result = madeUpSweep(
    [
      { buffer: 'default', rates: usual, takes: 200 * 1024 },
      { buffer: MIB, rates: [1500, 1400, 1600], takes: 16 * MIB },
      { way: 'js', buffer: 'default', rates: usual },
      { way: 'js', buffer: MIB, rates: [1020, 1020, 1020] },
    ],
    '--json /home/me/x.json --rounds 3',
  );
  const sweep = sweepJsonOf(result);

  test('have the conclusions, what buffers take, the figures of one size, and no paths of the machine', () => {
    expect(isSweep(sweep)).toBe(true);
    expect(isSweep(madeUp())).toBe(false);
    const lines = renderSweepBlock(sweepExcerptOf(sweep)).split('\n');
    const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').map((text) => text.trim()));
    expect(rows).toContainEqual(['', '1 MiB', '1 MiB: 1.50x (1.40 to 1.60)', 'no change: best 1.02x', '']);
    expect(rows).toContainEqual(['', '1 MiB', '2.00 MiB', '1.95 GiB', '>= 16.0 MiB', '0.00 KiB', '']);
    expect(rows).toContainEqual(['', '1 MiB', '1.57 GB/s; 66.7 us', '1.07 GB/s; 98.0 us', '']);
    expect(lines).toContain('nearwire 0.1.0 (abc), `nearwire tune --rounds 3`.');
    expect(lines.at(-1)).toMatch(/^Note: /);
  });

  test('stand in docs/tuning-sweep.md as they are made of the result beside it, if there is one', () => {
    const block = blockOf(read('docs/tuning-sweep.md'), SWEEP_FILE);
    const recorded = existsSync(new URL(`../bench/results/${SWEEP_FILE}`, import.meta.url));
    // Else: npm run bench:readme -- RESULT.json
    const made = recorded
      ? renderSweepBlock(JSON.parse(read(`bench/results/${SWEEP_FILE}`)) as SweepExcerpt)
      : 'No sweep of this form has been recorded yet.';
    expect(block).toBe(made);
  });
});
