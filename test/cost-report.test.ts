/** The report of `nearwire cost` on a terminal, its figures and its file. */
import { stripVTControlCharacters } from 'node:util';

import { describe, expect, test } from 'vitest';

import { familyPairs, settingsOf } from '../bench/cost/arrange.js';
import {
  formatDeviation,
  formatInterval,
  formatNamed,
  formatRate,
  formatShare,
  formatTime,
} from '../bench/cost/figures.js';
import { systemCallTable } from '../bench/cost/html-tables.js';
import { costJsonOf } from '../bench/cost/json.js';
import type { CostResult } from '../bench/cost/model.js';
import { renderCost } from '../bench/cost/report.js';
import { wrap } from '../bench/cost/wrap.js';
import { figure, MADE_UP_STACKS, madeUpCost } from './support/costs.js';

const result = madeUpCost();

const linesOf = (text: string): string[] => text.split('\n');

describe.each([
  { columns: 80, widest: 80 },
  { columns: 200, widest: 200 },
  { columns: 1000, widest: 200 },
])('in $columns columns', ({ columns, widest }) => {
  const report = renderCost(result, columns);

  test('fits, and begins with the answers', () => {
    expect(stripVTControlCharacters(report)).toBe(report);
    for (const line of linesOf(report)) expect(line.length, line).toBeLessThanOrEqual(widest);
    const [first = '', second = '', third = ''] = report.split('\n\n');
    expect(first).toContain('2 cores, Linux 6.1, Node 20.0.0');
    expect(second.replace(/\s+/g, ' ')).toContain(
      'What does the hop cost? On this host a request through nginx to a Python',
    );
    expect(third).toContain('Directly or through a front?');
    expect(report.indexOf('What does the hop cost?')).toBeLessThan(report.indexOf('Python, hello'));
  });

  test('has a table for each language and work, and the layers of the first', () => {
    for (const work of ['hello', 'json', 'download']) {
      expect(report).toContain(`Python, ${work}  `);
      expect(report).toContain(`Node, ${work}  `);
    }
    expect(report).toContain('Python, hello  layers of a lone request, by time');
    expect(report).toContain('Node, hello  layers, by CPU of all processes');
    expect(report).not.toContain('json  layers');
    // A server by itself has none.
    expect(report).not.toContain('Servers by themselves, hello  layers');
  });

  test('tells limits, what is missing and what to mind', () => {
    const flat = report.replace(/\s+/g, ' ');
    expect(flat).toContain(
      'broke at 2,345 requests/s filled 129 of 128 connections error connect() to unix:/run/app.sock',
    );
    expect(flat).toContain('listen({ path, backlog: 511 }): did not break at 4,690 requests/s');
    expect(flat).toContain('Not measured Yaws alone : not installed: apt-get install yaws');
    expect(report).toMatch(/^busy machine/m);
  });
});

test('a wide terminal has intervals with both ends, a narrow one how wide they are', () => {
  const wide = linesOf(renderCost(result, 200));
  const at = wide.findIndex((line) => line.includes('nginx -> uWSGI over UNIX'));
  expect(wide[at]).toMatch(/50\.0 k\/s .* 100 us .* 900 us .* 17\.0 us .* 10\.0 us .* 30 %/);
  expect(wide[at + 1]).toMatch(/47\.5 to 55\.0 k\/s .* 95\.0 to 110 us .* 28 to 33 %/);
  const narrow = linesOf(renderCost(result, 80));
  const row = narrow.findIndex((line) => line.includes('nginx -> uWSGI') && line.includes('50.0 k/s'));
  expect(narrow[row + 1]).toMatch(/over UNIX .*±10 %/);
});

test('layers inside the noise are marked, curves tell how far they hold', () => {
  const report = renderCost(result, 80);
  expect(report).toMatch(/~5\.00 us/);
  expect(report.replace(/\s+/g, ' ')).toContain('~: the interval contains 0');
  expect(report).toMatch(/│40\.0 k\/s │\s+400 us │50\.0 k\/s │33\.0 k\/s │\s+900 ms │/);
  expect(report.replace(/\s+/g, ' ')).toContain('97 % of what was offered was served in time, and no request failed');
});

test('system calls are told by role, and which of them are the hop', () => {
  const lines = linesOf(renderCost(result, 80));
  const row = lines
    .slice(lines.findIndex((line) => line.startsWith('System calls')))
    .find((line) => line.includes('uWSGI'));
  // 7.5 of the front, of which it makes 3 alone, and 3 of the app.
  expect(row).toMatch(/│\s+7\.5 │\s+3 │\s+7\.5 │/);
  expect(systemCallTable(result)).toContain('epoll_wait 2.5, recvfrom 2, writev 2, connect 1');
  expect(renderCost({ ...result, systemCalls: [] }, 80)).not.toContain('System calls');
});

test('a result of nothing, interrupted, and failures', () => {
  const nothing = {
    rows: [],
    splits: [],
    systemCalls: [],
    curves: [],
    overloads: [],
    answers: [],
    stacks: [],
    works: [],
    missing: [],
  };
  const empty: CostResult = { ...result, ...nothing, interrupted: true, failures: ['yaws: did not serve'] };
  const report = renderCost(empty, 80);
  expect(report).toMatch(/15 min 13 s,\s+interrupted/);
  expect(report).toContain('interrupted: this is what had been measured by then');
  expect(report).toContain('failed: yaws: did not serve');
  expect(report).not.toContain('│');
});

test('the file has all of it, with the schema', () => {
  const { schema, interrupted, failures, ...rest } = costJsonOf(madeUpCost());
  expect({ schema, interrupted, failures }).toEqual({ schema: 1, interrupted: false, failures: [] });
  expect(Object.keys(rest).sort()).toEqual(
    [
      ...['host', 'versions', 'programs', 'command', 'started', 'seconds', 'quick', 'notes', 'missing', 'stacks'],
      ...['works', 'samples', 'rows', 'splits', 'systemCalls', 'curves', 'overloads', 'answers'],
    ].sort(),
  );
  expect(JSON.parse(JSON.stringify(rest))).toEqual(rest);
  const { stacks, rows } = result;
  expect(rest).toMatchObject({ stacks, rows });
});

test('a result without failures and interruption is complete', () => {
  const older = Object.fromEntries(
    Object.entries(madeUpCost()).filter(([name]) => name !== 'failures' && name !== 'interrupted'),
  );
  expect(costJsonOf(older as unknown as CostResult)).toMatchObject({ failures: [], interrupted: false });
});

test('stacks that differ in the family alone are pairs, small works first', () => {
  const pairs = familyPairs(result);
  expect(pairs.map(({ title, unix, tcp }) => [title, unix.name, tcp.name])).toEqual([
    ['nginx -> uWSGI', 'nginx-uwsgi-unix', 'nginx-uwsgi-tcp'],
    ...['close', 'keep'].map((kind) => [
      `nginx -> node:http by nearwire, ${kind === 'keep' ? 'keep-alive' : kind}`,
      `nginx-nearwire-unix-${kind}`,
      `nginx-nearwire-tcp-${kind}`,
    ]),
  ]);
  const namesOf = (found: typeof pairs): (string | undefined)[] | undefined =>
    found[0]?.works.map(({ work }) => work.name);
  expect(namesOf(pairs)).toEqual(['hello', 'json', 'download']);
  // One of no known size is not the smallest.
  const works = result.works.map((work) => (work.name === 'hello' ? { ...work, answerBytes: undefined } : work));
  expect(namesOf(familyPairs({ ...result, works }))).toEqual(['json', 'download', 'hello']);
  const alone = familyPairs({ ...result, stacks: MADE_UP_STACKS.filter(({ name }) => !name.includes('tcp')) });
  expect(alone).toEqual([]);
});

test('what moves a limit is told once, each by itself', () => {
  const [overload] = madeUpCost().overloads;
  if (!overload) throw new Error('one is made up');
  const at = undefined;
  const moves = [
    { setting: 'a; b', at, seen: 'held' },
    { setting: 'c', at, seen: 'did not break' },
  ];
  const setting = 'a; b (not met then); c (not met then)';
  expect(settingsOf({ ...overload, setting, moves })).toEqual(['a; b: held', 'c: did not break']);
  expect(settingsOf({ ...overload, setting: 'more', moves: [] })).toEqual(['more']);
});

test('figures for the eye', () => {
  expect([0.5, 12.34, 999, 1000, 9.7e6].map(formatTime)).toEqual(['0.50 us', '12.3 us', '999 us', '1.00 ms', '9.70 s']);
  expect([0.0012, 0.062, 0.34].map(formatShare)).toEqual(['0.1 %', '6.2 %', '34 %']);
  expect([950, -54_700].map(formatRate)).toEqual(['950 /s', '-54.7 k/s']);
  expect(formatInterval({ median: 1000, low: 990, high: 1010, rounds: 3 }, formatTime)).toBe('990 us to 1.01 ms');
  expect(formatInterval({ median: 20, low: 19, high: 21, rounds: 3 }, formatTime)).toBe('19.0 to 21.0 us');
  expect(formatInterval({ median: 20, low: 20, high: 20, rounds: 1 }, formatTime)).toBe('one round');
  expect(formatDeviation({ median: 100, low: 96, high: 102, rounds: 3 })).toBe('±4.0 %');
  expect(formatDeviation({ median: -100, low: -130, high: -90, rounds: 3 })).toBe('±30 %');
  expect(formatNamed('hopShare', figure(0.3))).toBe('30 % (28 to 33 %)');
  expect(formatNamed('hopTime', figure(30))).toBe('30.0 us (28.5 to 33.0 us)');
});

test('lines are broken between words', () => {
  expect(wrap('one two three four', 9, '  ', '')).toBe('one two\n  three\n  four');
  expect(wrap('unbreakable word', 5)).toBe('unbreakable\nword');
  expect(wrap('a\nb', 9, '  ', '> ')).toBe('> a\n  b');
});
