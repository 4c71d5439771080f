/** bench/baseline.json: what was measured, and how far a run may be from it by chance. */
import { CASES } from '../cases/index.js';
import type { JsonResult } from '../json.js';
import type { Measure, Mode, RatioResult } from '../model.js';

/** A ratio to node:net over all recorded runs. */
export interface RecordedRatio {
  readonly case: string;
  readonly params: RatioResult['params'];
  readonly family: RatioResult['family'];
  readonly measure: RatioResult['measure'];
  readonly subject: RatioResult['subject'];
  /** Of the runs' medians. */
  readonly median: number;
  /** The lowest and the highest of all rounds. */
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  /** Standard deviation of a run's median, as a part of it: 0.05 is 5 %. */
  readonly spread: number;
}

export interface RecordedRun {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  readonly command: string;
  readonly started: string;
}

export interface RecordedMode {
  readonly runs: readonly RecordedRun[];
  readonly ratios: readonly RecordedRatio[];
}

export interface Baseline {
  readonly schema: 1;
  readonly modes: Readonly<Partial<Record<Mode, RecordedMode>>>;
}

/** The same in a result and in the baseline, whatever else they say. */
export function keyOf({
  case: name,
  params,
  family,
  measure,
  subject,
}: Omit<RecordedRatio, 'median' | 'low' | 'high' | 'runs' | 'spread'>): string {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, sorted, family, measure, subject]);
}

export function modeOf({ command }: Pick<JsonResult, 'command'>): Mode {
  return /(^|\s)--quick(\s|$)/.test(command) ? 'quick' : 'default';
}

export function measureOf(ratio: Pick<RecordedRatio, 'case' | 'measure'>): Measure | undefined {
  return CASES.find(({ name }) => name === ratio.case)?.measures.find(({ name }) => name === ratio.measure);
}

/**
 * Of a storm, node:net fails as many connects as chance will have, and waits for the others only: the tests hold ours to
 * none. Of chunks that are kept, resident memory jumps by a megabyte with V8's heap, which is 130 or 280 bytes for each of
 * ten thousand; `held` counts the same bytes one by one. And of the few thousand operations of a quick stretch, the slowest
 * hundredth is chance too.
 */
function isJudged({ case: name, subject, baseline, measure }: RatioResult, mode: Mode): boolean {
  if (baseline !== 'node:net' || (subject !== 'native' && subject !== 'channel')) return false;
  if (measure === 'failed' || measure === 'wait') return false;
  if (name === 'retained' && measure === 'memory') return false;
  return mode === 'default' || measure !== 'p99';
}

/** The ratios of a result that say something: ours to node:net, with neither side held back by the load generator. */
export function judgedRatios(result: JsonResult): RatioResult[] {
  const limited = new Set(result.cells.filter(({ limitedBy }) => limitedBy !== undefined).map(keyOf));
  return result.ratios.filter(
    (ratio) =>
      isJudged(ratio, modeOf(result)) &&
      !limited.has(keyOf(ratio)) &&
      !limited.has(keyOf({ ...ratio, subject: 'node:net' })),
  );
}
