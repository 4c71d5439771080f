/** bench/instructions.json, and what a count is against it. */
import type { Count } from './callgrind.js';

export interface RecordedNode {
  readonly node: string;
  readonly valgrind: string;
  /** Of the addon. */
  readonly compiler: string;
  readonly cases: Readonly<Record<string, Count>>;
}

export interface Recorded {
  readonly schema: 1;
  /** By architecture and major version of Node: `x64 20`. */
  readonly nodes: Readonly<Record<string, RecordedNode>>;
}

export function nodeKey(arch: string, version: string): string {
  return `${arch} ${version.split('.')[0] ?? ''}`;
}

/** Counts repeat to less than 1 %. */
const TOLERANCE = 1.03;

export const MEASURES = ['instructions', 'addon', 'heap'] as const satisfies readonly (keyof Count)[];
export type CountMeasure = (typeof MEASURES)[number];

export type CountVerdict = 'dearer' | 'cheaper' | 'same' | 'not recorded';

export interface CountComparison {
  readonly case: string;
  readonly measure: CountMeasure;
  readonly recorded: number | undefined;
  readonly now: number;
  readonly verdict: CountVerdict;
}

export function compareCounts(counts: ReadonlyMap<string, Count>, recorded: RecordedNode['cases']): CountComparison[] {
  return [...counts].flatMap(([name, count]) =>
    MEASURES.map((measure) => {
      const [before, now] = [recorded[name]?.[measure], count[measure]];
      return { case: name, measure, recorded: before, now, verdict: verdictOf(before, now) };
    }),
  );
}

function verdictOf(recorded: number | undefined, now: number): CountVerdict {
  if (recorded === undefined) return 'not recorded';
  if (now > recorded * TOLERANCE) return 'dearer';
  return now < recorded / TOLERANCE ? 'cheaper' : 'same';
}
