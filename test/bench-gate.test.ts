import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readDump } from '../bench/gate/callgrind.js';
import { GATE_CASES } from '../bench/gate/cases.js';
import { comparePairs } from '../bench/gate/compare-pairs.js';
import type * as Pairs from '../bench/gate/pairs.js';
import { compareCounts, type Recorded, type RecordedNode } from '../bench/gate/recorded.js';
import { findFloor } from '../bench/floor.js';
import { PACKAGE_ROOT } from '../bench/package-root.js';
import { requireOrSkip } from './support/requirements.js';

const built = (file: string): string => fileURLToPath(new URL(`../dist/bench/gate/${file}`, import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('npm run bench:instructions', () => {
  const file = (): string => join(folder, 'instructions.json');
  const run = (words: readonly string[], env: NodeJS.ProcessEnv = process.env): Ended =>
    spawnSync(process.execPath, [built('instructions.js'), '--file', file(), ...words], { encoding: 'utf8', env });
  const read = (): RecordedNode => {
    const [recorded] = Object.values((JSON.parse(readFileSync(file(), 'utf8')) as Recorded).nodes);
    if (recorded === undefined) throw new Error('nothing was recorded');
    return recorded;
  };

  test('says what it has nothing to compare with', () => {
    writeFileSync(file(), JSON.stringify({ schema: 1, nodes: { 'x64 1': { cases: {} } } }));
    const { status, stderr } = run([]);
    expect(status).toBe(2);
    expect(stderr).toContain(`nothing is recorded for ${process.arch} ${process.versions.node.split('.')[0] ?? ''}`);
    expect(stderr).toContain('only for x64 1');
  });

  test('knows its cases', () => {
    expect(run(['--cases', 'rtt,pipeline']).stderr).toContain('no case pipeline: there are rtt, http,');
    expect(run(['--fast']).status).toBe(2);
  });

  test('says that valgrind is missing', () => {
    const { status, stderr } = run([], { ...process.env, PATH: folder });
    expect(status).toBe(2);
    expect(stderr).toBe('error: valgrind is needed to count instructions: apt-get install valgrind\n');
  });

  test.skipIf([requireOrSkip('valgrind'), requireOrSkip('floor'), requireOrSkip('addon')].includes(undefined))(
    'counts the same each time, and fails by what is 4 % dearer than recorded',
    () => {
      rmSync(file());
      expect(run(['--record', '--cases', 'rtt'])).toMatchObject({ status: 0, stderr: '' });
      const recorded = read();
      const { rtt } = recorded.cases;
      if (rtt === undefined) throw new Error('rtt was recorded');
      expect(rtt.addon).toBeGreaterThan(100);
      expect(rtt.instructions).toBeGreaterThan(2 * rtt.addon);
      expect(rtt.heap).toBeGreaterThan(0);
      // Of one of them less was recorded by 4 %, of another by 2 %, and of the third more.
      const changed = { instructions: rtt.instructions * 0.98, addon: rtt.addon * 0.96, heap: rtt.heap * 1.04 };
      const key = `${process.arch} ${process.versions.node.split('.')[0] ?? ''}`;
      writeFileSync(
        file(),
        JSON.stringify({ schema: 1, nodes: { [key]: { ...recorded, valgrind: 'another', cases: { rtt: changed } } } }),
      );
      const { status, stdout } = run(['--cases', 'rtt']);
      expect(stdout).toMatch(/rtt +│ the addon's +│ .* 4\.\d % │ dearer/);
      expect(stdout).toMatch(/rtt +│ instructions +│ .* [12]\.\d % │ +│/);
      expect(stdout).toMatch(/rtt +│ bytes of heap +│ .*-3\.\d % │ cheaper/);
      expect(stdout).toContain('note: recorded with valgrind another, now valgrind-');
      expect(stdout).toContain('something got cheaper: npm run bench:instructions -- --record');
      expect(status).toBe(1);
    },
    120_000,
  );
});

test('what is recorded is of all counted cases, for each Node', () => {
  const { nodes } = JSON.parse(
    readFileSync(new URL('../bench/instructions.json', import.meta.url), 'utf8'),
  ) as Recorded;
  const counted = GATE_CASES.filter((entry) => entry.counted).map(({ name }) => name);
  expect(Object.keys(nodes)).toContain('x64 20');
  for (const { cases } of Object.values(nodes)) expect(Object.keys(cases).sort()).toEqual(counted.sort());
});

describe('counts', () => {
  const count = { instructions: 1000, addon: 100, heap: 500 };

  test('of a case that is not recorded are no pass', () => {
    const verdicts = compareCounts(new Map([['rtt', count]]), {}).map(({ verdict }) => verdict);
    expect(verdicts).toEqual(['not recorded', 'not recorded', 'not recorded']);
  });

  test('are dearer or cheaper from 3 % on', () => {
    const verdictOf = (instructions: number): unknown =>
      compareCounts(new Map([['rtt', { ...count, instructions }]]), { rtt: count })[0]?.verdict;
    expect([1029, 1031, 972, 970].map(verdictOf)).toEqual(['same', 'dearer', 'same', 'cheaper']);
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
  const ab = (...words: string[]): Ended =>
    spawnSync(process.execPath, [built('ab.js'), ...words], { encoding: 'utf8' });

  test('compares with one commit that there is', () => {
    expect(ab()).toMatchObject({ status: 2, stdout: '' });
    expect(ab('HEAD', 'HEAD').stderr).toContain('one commit is compared with');
    expect(ab('no-such-branch').stderr).toContain('git knows no commit no-such-branch');
    expect(ab('--cases', 'write-64', 'HEAD').stderr).toContain('no case write-64: there are rtt, pipeline,');
  });

  test.skipIf([requireOrSkip('floor'), requireOrSkip('addon')].includes(undefined))(
    'has a slice of each build in each sweep, and new processes in each block',
    async () => {
      const { measurePair } = (await import(built('pairs.js'))) as typeof Pairs;
      const { signal } = new AbortController();
      const floor = findFloor() ?? '';
      for (const gateCase of GATE_CASES.filter(({ connections }) => connections !== undefined)) {
        const builds = { before: PACKAGE_ROOT, after: PACKAGE_ROOT };
        const pair = await measurePair(gateCase, builds, { floor, folder, signal }, { blocks: 2, sweeps: 2 });
        for (const side of [pair.before, pair.after]) {
          expect(side.map(({ length }) => length)).toEqual([2, 2]);
          for (const cpu of side.flat()) expect(cpu).toBeGreaterThan(0);
        }
      }
    },
    120_000,
  );

  /** In each sweep both by as much, as a host does it, and each by itself; a block's processes have their own luck. */
  function madeUp(change: number): ReturnType<typeof comparePairs> {
    const wave = (at: number, of: number): number => 1 + of * Math.sin(at * 2.3);
    const side = (factor: number, phase: number): number[][] =>
      [0, 1, 2, 3, 4].map((block) =>
        Array.from({ length: 24 }, (_, at) => {
          const luck = wave(3 * block + phase, 0.01);
          return 10 * factor * luck * wave(at, 0.2) * wave(7 * at + phase, 0.03);
        }),
      );
    return comparePairs('abc1234', new Map([['http', { before: side(1, 0), after: side(change, 1) }]]));
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
