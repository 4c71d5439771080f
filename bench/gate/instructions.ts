/** Compares the instructions of requests with bench/instructions.json. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CannotRun } from '../cannot-run.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { newTable } from '../report/terminal.js';
import { buildClock, countRequest, versionOf, type Count } from './callgrind.js';
import type { GateCase } from './cases.js';
import type { GateContext } from './peers.js';

export const OWN_FILE = join(PACKAGE_ROOT, 'instructions.json');

export interface CountOptions {
  readonly record?: boolean;
  readonly file: string;
}

export interface RecordedNode {
  readonly node: string;
  readonly valgrind: string;
  /** The compiler of the addon. */
  readonly compiler: string;
  readonly cases: Readonly<Record<string, Count>>;
}

export interface Recorded {
  readonly schema: 1;
  /** By architecture and major version of Node: `x64 20`. */
  readonly nodes: Readonly<Record<string, RecordedNode>>;
}

/** Returns whether something is more expensive than recorded, or not recorded. */
export async function countCases(
  cases: readonly GateCase[],
  { record, file }: CountOptions,
  context: GateContext,
): Promise<boolean> {
  const here = {
    node: process.versions.node,
    valgrind: versionOf('valgrind', 'valgrind'),
    compiler: versionOf('cc', 'gcc'),
  };
  const key = `${process.arch} ${here.node.split('.')[0] ?? ''}`;
  const nodes = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Recorded).nodes : {};
  const before = nodes[key];
  if (!record && !before) {
    // Before minutes are spent without anything to compare with.
    throw new CannotRun(`nothing is recorded for ${key}, only for ${Object.keys(nodes).join(', ')}: --record it`);
  }
  const clock = buildClock(context.folder);
  const counts: Record<string, Count> = {};
  for (const gateCase of cases) {
    const processes: Count[] = [];
    do processes.push(await countRequest(gateCase, clock, context, 1 + processes.length));
    while (processes.length < MOST_PROCESSES && (record || isDearer(least(processes), before?.cases[gateCase.name])));
    counts[gateCase.name] = least(processes);
  }
  const { text, verdicts } = compareCounts(counts, before?.cases ?? {});
  console.log(text);
  if (record) {
    const recorded = { ...here, cases: { ...before?.cases, ...counts } };
    writeFileSync(file, `${JSON.stringify({ schema: 1, nodes: { ...nodes, [key]: recorded } }, null, 2)}\n`);
    return false;
  }
  for (const what of ['node', 'valgrind', 'compiler'] as const) {
    if (before?.[what] !== here[what]) {
      console.log(`note: recorded with ${what} ${String(before?.[what])}, now ${here[what]}`);
    }
  }
  if (verdicts.includes('cheaper')) {
    console.log('something got cheaper: npm run bench:instructions -- --record, and commit it');
  }
  if (!verdicts.includes('dearer') && !verdicts.includes('not recorded')) return false;
  console.log('dearer than recorded, or not recorded: if it is meant to be, record it and say in the commit what for');
  return true;
}

/** Counts usually repeat within 1 %. */
const TOLERANCE = 1.03;
/**
 * V8's optimization of hot code depends on what it has seen by then: occasionally a process takes 2 % more until its
 * end. So records, and apparent increases, use the minimum of several processes, each with a longer warm-up than the one
 * before it.
 */
const MOST_PROCESSES = 3;

function least(counts: readonly Count[]): Count {
  const leastOf = (measure: keyof Count): number => Math.min(...counts.map((count) => count[measure]));
  return { instructions: leastOf('instructions'), addon: leastOf('addon'), heap: leastOf('heap') };
}

function isDearer(count: Count, recorded: Count | undefined): boolean {
  return MEASURES.some(([measure]) => verdictOf(recorded?.[measure], count[measure]) === 'dearer');
}

const MEASURES = [
  ['instructions', 'instructions'],
  ['addon', "the addon's"],
  ['heap', 'bytes of heap'],
] as const;

export type Verdict = 'dearer' | 'cheaper' | 'not recorded' | '';

/** As a table, with the verdict on each row. */
export function compareCounts(counts: Readonly<Record<string, Count>>, recorded: RecordedNode['cases']) {
  const table = newTable(['a request of', '', 'recorded', 'now', 'change', '']);
  const verdicts = Object.entries(counts).flatMap(([name, count]) =>
    MEASURES.map(([measure, words]) => {
      const [before, now] = [recorded[name]?.[measure], count[measure]];
      const change = before === undefined ? '' : `${((now / before - 1) * 100).toFixed(1)} %`;
      const verdict = verdictOf(before, now);
      table.push([name, words, before ?? '', now, change, verdict]);
      return verdict;
    }),
  );
  return { text: table.toString(), verdicts };
}

function verdictOf(recorded: number | undefined, now: number): Verdict {
  if (recorded === undefined) return 'not recorded';
  if (now > recorded * TOLERANCE) return 'dearer';
  return now < recorded / TOLERANCE ? 'cheaper' : '';
}
