import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import type * as Ab from '../../bench/gate/ab.js';
import { compareBuilds } from '../../bench/gate/ab.js';
import { readDump } from '../../bench/gate/callgrind.js';
import { COUNTED_CASES, TIMED_CASES } from '../../bench/gate/cases.js';
import { compareCounts, type Recorded } from '../../bench/gate/instructions.js';
import { findFloor } from '../../bench/floor.js';
import { REPOSITORY } from '../../bench/package-root.js';
import { folderForRuns } from '../support/command-runs.js';
import { requireOrSkip } from '../support/requirements.js';

const built = (file: string): string => fileURLToPath(new URL(`../../bench/dist/gate/${file}`, import.meta.url));
const gate = (words: readonly string[], env: NodeJS.ProcessEnv = process.env): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [built('main.js'), ...words], { encoding: 'utf8', env });

const runs = folderForRuns();

test.each([
  [['instructions', '--cases', 'rtt,pipeline'], 'no case pipeline: there are rtt, http,'],
  [['instructions', '--fast'], 'unknown option'],
  [['ab'], "missing required argument 'ref'"],
  [['ab', 'HEAD', 'HEAD'], 'too many arguments'],
  [['ab', 'no-such-branch'], 'error: git knows no commit no-such-branch'],
  [['ab', '--cases', 'write-64', 'HEAD'], 'no case write-64: there are rtt, pipeline,'],
])('says what it can do nothing with: %o', (words, complaint) => {
  expect(gate(words)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(complaint) as string });
});

describe('npm run bench:instructions', () => {
  const file = (): string => join(runs.path, 'instructions.json');
  const run = (words: readonly string[], env?: NodeJS.ProcessEnv): SpawnSyncReturns<string> =>
    gate(['instructions', '--file', file(), ...words], env);

  const node = `${process.arch} ${process.versions.node.split('.')[0] ?? ''}`;
  test.each([
    [process.env, `error: nothing is recorded for ${node}, only for x64 1:`],
    [{ PATH: '/no-such-folder' }, 'error: valgrind is needed to count instructions: apt-get install valgrind\n'],
  ])('says what there has to be', (env, complaint) => {
    writeFileSync(file(), JSON.stringify({ schema: 1, nodes: { 'x64 1': { cases: {} } } }));
    expect(run([], env)).toMatchObject({ status: 2, stderr: expect.stringContaining(complaint) as string });
  });

  test.skipIf([requireOrSkip('valgrind'), requireOrSkip('floor'), requireOrSkip('addon')].includes(undefined))(
    'counts the same each time, and fails by what is dearer than recorded',
    () => {
      rmSync(file());
      expect(run(['--record', '--cases', 'rtt'])).toMatchObject({ status: 0, stderr: '' });
      const { nodes } = JSON.parse(readFileSync(file(), 'utf8')) as Recorded;
      const [[key, recorded] = []] = Object.entries(nodes);
      const rtt = recorded?.cases['rtt'];
      if (key === undefined || rtt === undefined) throw new Error('rtt was recorded');
      expect(rtt.addon).toBeGreaterThan(100);
      expect(rtt.instructions).toBeGreaterThan(2 * rtt.addon);
      expect(rtt.heap).toBeGreaterThan(0);
      // Of one of them less was recorded, of another more, by more than what differs from process to process.
      const changed = { ...rtt, addon: rtt.addon * 0.9, heap: rtt.heap * 1.1 };
      const other = { ...recorded, valgrind: 'another', cases: { rtt: changed } };
      writeFileSync(file(), JSON.stringify({ schema: 1, nodes: { [key]: other } }));
      const { status, stdout } = run(['--cases', 'rtt']);
      expect(stdout).toMatch(/rtt +│ +instructions +│ .* -?[012]\.\d % │ +│/);
      expect(stdout).toMatch(/rtt +│ +the addon's +│ .* 1\d\.\d % │ +dearer/);
      expect(stdout).toMatch(/rtt +│ +bytes of heap +│ .* -\d+\.\d % │ +cheaper/);
      expect(stdout).toContain('note: recorded with valgrind another, now valgrind-');
      expect(stdout).toContain('something got cheaper: npm run bench:instructions -- --record');
      expect(status).toBe(1);
    },
    120_000,
  );
});

test('what is recorded is of all counted cases, for each Node', () => {
  const { nodes } = JSON.parse(
    readFileSync(new URL('../../bench/instructions.json', import.meta.url), 'utf8'),
  ) as Recorded;
  const counted = COUNTED_CASES.map(({ name }) => name);
  expect(Object.keys(nodes)).toContain('x64 20');
  for (const { cases } of Object.values(nodes)) expect(Object.keys(cases).sort()).toEqual(counted.sort());
});

describe('counts', () => {
  const count = { instructions: 1000, addon: 100, heap: 500 };

  test.each([
    [undefined, 'not recorded'],
    [1029, ''],
    [1031, 'dearer'],
    [972, ''],
    [970, 'cheaper'],
  ])('of %s for 1000 are told as %o', (instructions, verdict) => {
    const [recorded, now] = instructions === undefined ? [{}, count] : [{ rtt: count }, { ...count, instructions }];
    expect(compareCounts({ rtt: now }, recorded).verdicts[0]).toBe(verdict);
  });

  test('of a dump are by the file of the code, each instruction once', () => {
    const dump = (summary: number): string =>
      [
        ...['events: Ir', `summary: ${String(summary)}`, 'ob=(1) /usr/bin/node', 'fn=(1) run', '0 500'],
        ...['cob=(2) /app/nearwire.node', 'cfn=(2) send', 'calls=7 0', '0 300', '+3 200'],
        ...['ob=(2)', 'fn=(2)', '0 290', 'cob=(3) /lib/libc.so', 'cfn=(3) sendmsg', 'calls=7 0', '0 10'],
        ...['ob=(3)', 'fn=(3)', '0 10', 'totals: 1000'],
      ].join('\n');
    expect(readDump(dump(1000))).toEqual({ instructions: 1000, addon: 290 });
    expect(() => readDump(dump(900))).toThrow('a dump of 900 instructions has 1000');
  });
});

describe('npm run bench:ab', () => {
  test.skipIf([requireOrSkip('floor'), requireOrSkip('addon')].includes(undefined))(
    'has a slice of each build in each sweep, and new processes in each block',
    async () => {
      const { measureBuilds } = (await import(built('ab.js'))) as typeof Ab;
      const { signal } = new AbortController();
      const floor = findFloor() ?? '';
      for (const gateCase of TIMED_CASES) {
        const builds = { before: REPOSITORY, after: REPOSITORY };
        const efforts = await measureBuilds(
          gateCase,
          builds,
          { floor, folder: runs.path, signal },
          { blocks: 2, sweeps: 2 },
        );
        for (const side of [efforts.before, efforts.after]) {
          expect(side.map(({ length }) => length)).toEqual([2, 2]);
          for (const cpu of side.flat()) expect(cpu).toBeGreaterThan(0);
        }
      }
    },
    120_000,
  );

  /** In each sweep both by as much, as a host does it, and each by itself; a block's processes have their own luck. */
  function madeUp(change: number): ReturnType<typeof compareBuilds> {
    const wave = (at: number, of: number): number => 1 + of * Math.sin(at * 2.3);
    const side = (factor: number, phase: number): number[][] =>
      [0, 1, 2, 3, 4].map((block) =>
        Array.from({ length: 24 }, (_, at) => {
          const luck = wave(3 * block + phase, 0.01);
          return 10 * factor * luck * wave(at, 0.2) * wave(7 * at + phase, 0.03);
        }),
      );
    return compareBuilds('abc1234', new Map([['http', { before: side(1, 0), after: side(change, 1) }]]));
  }

  test('finds what is dearer by 6 %, and nothing where nothing is', () => {
    const dearer = madeUp(1.06);
    expect(dearer.dearer).toBe(true);
    expect(dearer.text).toMatch(/http .* 1\.0[5-7]\d .* dearer/);
    expect(madeUp(1)).toMatchObject({ dearer: false, text: expect.not.stringContaining('dearer') as string });
    const cheaper = madeUp(0.94);
    expect(cheaper.dearer).toBe(false);
    expect(cheaper.text).toContain('cheaper');
  });
});
