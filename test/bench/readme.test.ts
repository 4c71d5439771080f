import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import type { JsonResult } from '../../bench/json.js';
import type { CellResult, MeasureName, RatioResult, SubjectName } from '../../bench/model.js';
import type { Excerpt } from '../../bench/readme/figures.js';
import { renderFirstPage, renderGains } from '../../bench/readme/first-page.js';
import { beyondLimit, renderLosses } from '../../bench/readme/losses.js';
import { partsOf } from '../../bench/readme/markdown.js';
import { BENCH_PAGES, SWEEP_PAGES, type Page } from '../../bench/readme/pages.js';
import { renderPicture } from '../../bench/readme/picture.js';
import { reasonsOf } from '../../bench/readme/quiet.js';
import { WIDTH } from '../../bench/readme/svg.js';
import { isSweep, renderSweepBlock, sweepExcerptOf } from '../../bench/readme/sweep.js';
import { recordOf, referencesOf, renderBlock, renderReferences } from '../../bench/readme/tables.js';
import { sweepJsonOf } from '../../bench/tune/sweep.js';
import { madeUpSweep, MIB } from '../support/sweeps.js';

const pathOf = (file: string): URL => new URL(`../../${file}`, import.meta.url);
const read = (file: string): string => readFileSync(pathOf(file), 'utf8');

function cell(name: string, measure: MeasureName, subject: SubjectName, value: number, unit: string): CellResult {
  return {
    ...{ case: name, params: { connections: 64 }, family: 'unix', subject, measure, unit, better: 'lower' },
    ...{ samples: [value], median: value },
  };
}

function ratio(over: Partial<RatioResult> = {}): RatioResult {
  return {
    ...{ case: 'fanin', params: { connections: 64 }, family: 'unix', measure: 'cpu', subject: 'native' },
    ...{ baseline: 'node:net', median: 0.5, low: 0.45, high: 0.55, rounds: 7, ...over },
  };
}

function madeUp(over: Partial<JsonResult> = {}): JsonResult {
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
      ratio(),
      ratio({ baseline: 'c', median: 2, low: 1.8, high: 2.2 }),
      ratio({ subject: 'js' }),
      ratio({ case: 'storm', measure: 'failed', median: 0, low: 0, high: 0, rounds: 3 }),
    ],
    ...over,
  };
}

/** The lines of the tables, without the spaces that align them, and without those under the heads. */
function rowsOf(block: string): string[] {
  const lines = block.split('\n').filter((line) => /^\| [^-]/.test(line));
  return lines.map((line) => line.replaceAll(/ +/g, ' '));
}

describe('the results that are recorded', () => {
  function check<Result, Recorded>({ page, file, block: name, isWhole, render }: Page<Result, Recorded>): void {
    const results = `bench/results/${file}`;
    const isRecorded = existsSync(pathOf(results));
    // A picture of nothing there is not.
    expect(existsSync(pathOf(page))).toBe(isRecorded || isWhole !== true);
    if (!isRecorded && isWhole === true) return;
    const block = isWhole === true ? read(page) : partsOf(read(page), file, name)[1];
    // Else: npm run bench:readme, or npm run bench:readme -- RESULT.json
    if (isRecorded) expect(block).toBe(render(JSON.parse(read(results)) as Recorded[]));
    else expect(block).toMatch(/No .* has been recorded yet/);
  }

  test.each(BENCH_PAGES)('are what $page shows, $block', check);
  test.each(SWEEP_PAGES)('are what $page shows', check);

  test('have plain C as the limit only where nobody is beyond it', () => {
    const [first] = JSON.parse(read('bench/results/readme.json')) as Excerpt[];
    const beaten = new Set(beyondLimit(first?.ratios ?? []).map((place) => place.split(': ').slice(0, 2).join(': ')));
    const held = first?.cells.filter(({ subject, limitedBy }) => subject === 'c' && limitedBy !== undefined) ?? [];
    const rows = rowsOf(partsOf(read('docs/performance.md'), 'readme.json', 'figures')[1]);
    expect(rows.filter((row) => / over [^|]+ \|$/.test(row))).toHaveLength(beaten.size + held.length);
  });
});

test('a block is put between the markers, and nothing else changes', () => {
  const readme = read('README.md');
  expect(partsOf(readme, 'readme.json', 'figures').join('')).toBe(readme);
  expect(() => partsOf(readme, 'readme.json')).toThrow('the page has no');
  expect(() => partsOf('# nearwire', 'readme.json')).toThrow('the page has no');
});

test.each<[string, number, Partial<RatioResult>]>([
  ['none where all rounds agree that another is better', 1, {}],
  ['one where rounds differ on it', 0, { low: 0.9 }],
  ['one where it is better', 0, { measure: 'cpu' }],
  ['no business of another', 0, { baseline: 'node:net' }],
  ['one where it was held back itself', 0, { bound: '<=' }],
])('the limit is %s', (_, count, over) => {
  const better = ratio({ measure: 'rate', baseline: 'c', median: 1.5, low: 1.1, high: 1.6, ...over });
  expect(beyondLimit([better])).toHaveLength(count);
  if (count === 1) expect(beyondLimit([better])[0]).toMatch(/fanin, 64 connections: rate: native 1.50x .* of plain C$/);
});

describe('the losses', () => {
  const worse = { median: 1.2, low: 1.1, high: 1.3 };
  const found = (over: Partial<RatioResult>): number | undefined =>
    recordOf(madeUp({ ratios: [ratio(over)] })).losses?.length;

  test.each<[string, number, Partial<RatioResult>]>([
    ['what rounds agree on', 1, worse],
    ['that of another family and measure, which no table shows', 1, { ...worse, family: 'tcp', measure: 'p99' }],
    ["a channel's against node:net tuned", 1, { ...worse, subject: 'channel', baseline: 'node:net tuned' }],
    ['half the rate', 1, { measure: 'rate' }],
    ['a median just below 1', 1, { median: 0.971, high: 1.1 }],
    ['a median just above 1', 1, { median: 1.029, high: 1.1 }],
    ['no gain', 0, {}],
    ['not what rounds differ on', 0, { ...worse, low: 0.9 }],
    ['not what is of two rounds', 0, { ...worse, rounds: 2 }],
    ['not what says nothing of the server', 0, { ...worse, measure: 'clientCpu' }],
    ["not plain C's", 0, { ...worse, subject: 'c' }],
    ['not those to plain C', 0, { ...worse, baseline: 'c' }],
  ])('have %s', (_, count, over) => {
    expect(found(over)).toBe(count);
  });

  test('stand in a table, in the order of the cases', () => {
    const losses = [
      ratio({ ...worse, family: 'tcp' }),
      ratio({ median: 0.98, low: 0.9, high: 1.2, case: 'rtt', params: { bytes: 64 }, measure: 'p50' }),
    ];
    expect(rowsOf(renderLosses([{ ...recordOf(madeUp()), losses }]))).toEqual([
      '| where | of | ratio |',
      '| rtt, 64 B: p50 | native to node:net | 0.98x (0.90 to 1.20) |',
      '| fanin, 64 connections, TCP: cpu | native to node:net | 1.20x (1.10 to 1.30), worse |',
    ]);
    const versions = ['24.1.0', '26.2.0'].map((node, at) => {
      const median = 1.01 + at * 0.19;
      const losing = ratio({ subject: 'channel', median, low: median, high: median });
      return recordOf(madeUp({ versions: { ...madeUp().versions, node }, ratios: [losing] }));
    });
    expect(rowsOf(renderLosses(versions))).toEqual([
      '| where | of | Node 24 | Node 26 |',
      '| fanin, 64 connections: cpu | channel to node:net | 1.01x, worse | 1.20x, worse |',
    ]);
    expect(renderLosses([{ ...recordOf(madeUp()), losses: [] }])).toMatch(/^Nothing\./);
    expect(renderLosses([{ ...recordOf(madeUp()), losses: undefined }])).toContain('does not tell');
  });
});

describe("the README's block", () => {
  const block = renderBlock([recordOf(madeUp())]);

  test('is made of what it shows, without paths of the machine', () => {
    const { command, cells, ratios } = recordOf(madeUp());
    expect(command).toBe('nearwire bench --rounds 7');
    expect(cells.map((entry) => `${entry.case} ${entry.measure} ${entry.subject} ${entry.family}`)).toEqual([
      ...['fanin cpu c unix', 'fanin cpu native unix', 'fanin cpu node:net unix'],
      ...['http rate native unix', 'storm failed native unix', 'fanin cpu native tcp'],
    ]);
    expect(ratios.map((entry) => `${entry.case} ${entry.baseline}`)).toEqual([
      ...['fanin node:net', 'fanin c', 'storm node:net'],
    ]);
    expect(() => renderBlock([recordOf(madeUp({ cells: [] }))])).toThrow('none of the cases');
  });

  test('has values, and ratios with their spread, over UNIX sockets and TCP', () => {
    expect(rowsOf(block)).toEqual([
      '| over UNIX sockets | node:net | native | plain C |',
      // The load generator was the limit: the server could do more.
      '| the same, requests/s | | over 2.00 k/s | |',
      '| 64 connections, 64 B messages: server CPU a message | 4.00 us | 2.00 us (0.50x, 0.45 to 0.55) | 1.00 us |',
      '| 4,096 connects in one tick: how many fail | | 0 | |',
      '| over TCP | native |',
      '| 64 connections, 64 B messages: server CPU a message | 7.00 us |',
    ]);
    const { cells, ...rest } = recordOf(madeUp());
    const before = { ...rest, cells: cells.filter(({ family }) => family === 'unix') };
    expect(renderBlock([before])).not.toContain('TCP');
  });

  test('has plain C as no limit where all rounds of ours are beyond it', () => {
    const beaten = renderBlock([recordOf(madeUp({ ratios: [ratio(), ratio({ baseline: 'c' })] }))]);
    expect(rowsOf(beaten)[2]).toMatch(/\| over 1\.00 us \|$/);
    expect(beaten).toContain('"over" before a figure of plain C');
    expect(block).not.toContain('"over" before');
  });

  test('has node:net at its best beside it, and ours against both', () => {
    const { cells, ratios } = madeUp();
    const more = {
      cells: [...cells, cell('fanin', 'cpu', 'node:net tuned', 3, 'us/message')],
      ratios: [...ratios, ratio({ baseline: 'node:net tuned', bound: '<=' })],
    };
    const tuned = renderBlock([recordOf(madeUp(more))]);
    const [head, , messages] = rowsOf(tuned);
    expect(head).toContain('| node:net | node:net tuned | native |');
    expect(messages).toContain('| 4.00 us | 3.00 us | 2.00 us (0.50x, 0.45 to 0.55; <= 0.50x of tuned) |');
    expect(tuned).toContain('`node:net tuned` corks its writes');
  });

  test('says when, where, on what and how it was measured', () => {
    expect(block.replaceAll('\n', ' ')).toContain(
      'Medians of 3 to 7 rounds; in brackets the ratio to `node:net`, taken within each round, with the lowest and ' +
        'highest of the rounds. 2026-01-02, A CPU, 2 cores, Linux 6.1, Node 20.0.0, nearwire 0.1.0 (abc), ' +
        '`nearwire bench --rounds 7`.',
    );
  });

  test('of several versions of Node has columns for each, plain C once, and when each was', () => {
    const of = (node: string, started: string): Excerpt => {
      const { versions } = madeUp();
      return recordOf(madeUp({ versions: { ...versions, node }, started }));
    };
    const both = renderBlock([of('24.1.0', '2026-01-02T03:04'), of('26.2.0', '2026-01-02T04:05')]);
    const [head, , messages] = rowsOf(both);
    const columns = ['24', '26'].map((node) => `Node ${node}: node:net | Node ${node}: native`);
    expect(head).toBe(`| over UNIX sockets | ${columns.join(' | ')} | plain C |`);
    const figures = '4.00 us | 2.00 us (0.50x, 0.45 to 0.55)';
    expect(messages).toContain(`| ${figures} | ${figures} | 1.00 us |`);
    expect(both).toContain('2026-01-02, A CPU, 2 cores, Linux 6.1, Node 24.1.0,');
    expect(both).toContain('- Node 26.2.0: a run of its own, 2026-01-02 04:05 UTC');
  });
});

describe("the README's first page", () => {
  const close = { case: 'http-close', params: {} };
  const result = madeUp({
    cells: [
      { ...cell('http-close', 'cpu', 'node:net', 40, 'us/request'), ...close },
      { ...cell('http-close', 'cpu', 'native', 20, 'us/request'), ...close },
      { ...cell('http', 'cpu', 'node:net', 12, 'us/request'), params: {} },
      { ...cell('http', 'cpu', 'native', 9, 'us/request'), params: {} },
    ],
    ratios: [ratio(close), ratio({ case: 'http', params: {}, median: 1.5, low: 0.7, high: 9 })],
  });
  const excerpt = recordOf(result);

  test('has a row for each of six, and says where it is from', () => {
    const page = renderFirstPage([excerpt]);
    expect(rowsOf(page)).toHaveLength(7);
    expect(rowsOf(page).slice(0, 3)).toEqual([
      '| server CPU | node:net | nearwire |',
      '| node:http, a connection per request | 40.0 us | 20.0 us (0.50x) |',
      '| node:http, kept connections | 12.0 us | 9.00 us (1.50x) |',
    ]);
    expect(page).toContain('2026-01-02, A CPU, 2 cores, Linux 6.1, Node 20.0.0,');
  });

  test('has what a gain comes to beside the work of a handler', () => {
    expect(rowsOf(renderGains([excerpt])).slice(1)).toEqual([
      '| 0.1 ms | 14 % | 2.7 % |',
      '| 1 ms | 1.9 % | 0.30 % |',
      '| 5 ms | 0.40 % | 0.060 % |',
    ]);
  });

  test('has a picture, in which what is off the axis is cut and said', () => {
    const picture = renderPicture([excerpt]);
    const numbers = [...picture.matchAll(/ (?:x1|x2|x|width)="([\d.]+)"/g)].map(([, number]) => Number(number));
    expect(Math.max(...numbers)).toBeLessThanOrEqual(WIDTH);
    expect(picture).toContain('>1.50x</text>');
    expect(picture.match(/<rect class="bar0"/g)).toHaveLength(1 + result.ratios.length);
  });
});

describe('a result', () => {
  const of = (load: number, ...ratios: RatioResult[]): Excerpt => {
    const result = madeUp({ ratios });
    return recordOf({ ...result, host: { ...result.host, load } });
  };
  const spread = ratio({ high: 0.7 });

  test.each<[string, Excerpt, string[]]>([
    ['of a host at rest, of rounds that agree', of(0.5, ratio(), ratio(), ratio({ high: 5 })), []],
    [
      'with fewer rounds by plan',
      of(0, ratio({ rounds: 3, case: 'retained', measure: 'held', params: { every: 64 } })),
      [],
    ],
    ['of a busy host', of(0.51, ratio()), ['the load was 0.51 on 2 cores before the start']],
    ['in which nothing failed in a round', of(0, ratio({ case: 'storm', measure: 'failed', rounds: 4 })), []],
    ['of fewer rounds', of(0, ratio(), ratio({ rounds: 6 })), ['1 of 2 ratios are of fewer rounds than planned']],
    [
      'of rounds that differ',
      of(0, ratio(), spread, spread),
      ['the highest round of a ratio is 1.56 times its lowest, in the median'],
    ],
  ])('%s is fit for the README, or its block says why not', (_, excerpt, reasons) => {
    expect(reasonsOf([excerpt])).toEqual(reasons);
    const told = /\*\*Not of a host at rest\*\*: (.*)\.$/m.exec(renderBlock([excerpt]))?.[1];
    expect(told).toBe(reasons[0]);
  });

  test('of each version of Node is to be fit, and of the same host and commit', () => {
    const on = (node: string, load = 0, commit = 'abc', cpu = 'A CPU'): Excerpt => {
      const one = of(load, ratio());
      return { ...one, versions: { ...one.versions, node, commit }, host: { ...one.host, cpu } };
    };
    const first = on('24.1.0');
    expect(reasonsOf([first, on('26.1.0')])).toEqual([]);
    expect(reasonsOf([first, on('26.1.0', 1.66)])[0]).toMatch(/^Node 26: the load was 1.66/);
    expect(reasonsOf([first, on('26.1.0', 0, 'def')])).toEqual(['they are of different commits']);
    expect(reasonsOf([first, first])).toEqual(['two are of one version of Node']);
    expect(reasonsOf([first, on('26.1.0', 0, 'abc', 'Another CPU')])).toEqual(['they are of different hosts']);
  });
});

test('the table of what goes by reference has native against both baselines, and who else there is', () => {
  const bytes = { case: 'file', params: { bytes: 1048576 } };
  const of = (subject: SubjectName, value: number): CellResult => ({
    ...{ ...cell('file', 'cpu', subject, value, 'us/request'), ...bytes },
  });
  const ratios = [
    ratio({ ...bytes, median: 0.1, low: 0.09, high: 0.11 }),
    ratio({ ...bytes, baseline: 'c', median: 2, low: 1.9, high: 2.1 }),
  ];
  const other = { ...of('native', 9), case: 'http' };
  const cells = [of('c', 40), of('nginx', 60), of('native', 80), of('node:net', 800), other];
  const excerpt = referencesOf(madeUp({ cells, ratios }));
  expect(rowsOf(excerpt ? renderReferences([excerpt]) : '')).toEqual([
    '| over UNIX sockets | node:net | native | to node:net | plain C | native to it | nginx |',
    '| file, 1 MiB: CPU a request | 800 us | 80.0 us | 0.10x (0.09 to 0.11) | 40.0 us | 2.00x (1.90 to 2.10) | 60.0 us |',
  ]);
  expect(referencesOf(madeUp())).toBeUndefined();
  expect(referencesOf(madeUp({ cells, ratios: ratios.slice(0, 1) }))).toBeUndefined();
});

test('the tables of the sweep have the conclusions, what buffers take, and the figures of one size', () => {
  const usual = [1000, 1000, 1000];
  const sweep = sweepJsonOf(
    madeUpSweep(
      [
        { buffer: 'default', rates: usual, takes: 200 * 1024 },
        { buffer: MIB, rates: [1500, 1400, 1600], takes: 16 * MIB },
        { way: 'js', buffer: 'default', rates: usual },
        { way: 'js', buffer: MIB, rates: [1020, 1020, 1020] },
      ],
      '--json /home/me/x.json --rounds 3',
    ),
  );
  expect(isSweep(sweep)).toBe(true);
  expect(isSweep(madeUp())).toBe(false);
  const block = renderSweepBlock([sweepExcerptOf(sweep)]);
  const rows = rowsOf(block);
  expect(rows).toContain('| 1 MiB | 1 MiB: 1.50x (1.40 to 1.60) | no change: best 1.02x |');
  expect(rows).toContain('| 1 MiB | 2.00 MiB | 1.95 GiB | >= 16.0 MiB | 0.00 KiB |');
  expect(rows).toContain('| 1 MiB | 1.57 GB/s; 66.7 us | 1.07 GB/s; 98.0 us |');
  expect(block).toContain('nearwire 0.1.0 (abc), `nearwire tune --rounds 3`.');
  expect(block.split('\n').at(-1)).toMatch(/^Note: /);
});
