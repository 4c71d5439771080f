/** Is a result worse than what was recorded, by more than chance? */
import type { JsonResult } from '../json.js';
import type { RatioResult } from '../model.js';
import { judgedRatios, keyOf, measureOf, type RecordedMode, type RecordedRatio, type RecordedRun } from './model.js';
import { deviationOfMedian } from './spread.js';

/**
 * Standard deviations. Some eighty ratios are compared at once, and the tails of timings are heavy: every tenth run of the
 * made-up ones in test/bench-check.test.ts has one beyond. But what is beyond is measured again before it counts
 * (check.ts), and of that one run in several hundred is left.
 */
const BEYOND_CHANCE = 3;
/** What is worse by less is no matter. */
const LEAST_CHANGE = 1.05;
/** Restless rounds now make room up to so much of what was recorded: what became restless is no better for it. */
const MOST_OF_RECORDED = 1.5;
/** What costs less than this part of node:net's is a gain, and is never to vanish, however restless it is. */
const GAIN = 0.9;

export type Verdict = 'worse' | 'better' | 'same' | 'missing';

export interface Comparison {
  readonly recorded: RecordedRatio;
  readonly now: RatioResult | undefined;
  /** The ratio from which on it is worse. */
  readonly limit: number;
  readonly verdict: Verdict;
}

/** Ratios to node:net hang on the processor, and on what node:net is. */
export function isRecordedMachine(
  { host, versions }: Pick<JsonResult, 'host' | 'versions'>,
  runs: readonly RecordedRun[],
): boolean {
  const major = (version: string): string | undefined => version.split('.')[0];
  return runs.some(
    ({ cpu, cores, node }) => cpu === host.cpu && cores === host.cores && major(node) === major(versions.node),
  );
}

/** All that is recorded, or that of the named cases: what the result lacks is missing, and no news is bad news. */
export function compare(result: JsonResult, recorded: RecordedMode, cases?: readonly string[]): Comparison[] {
  const found = new Map(judgedRatios(result).map((ratio) => [keyOf(ratio), ratio]));
  // What the load generator holds back now is not missing: it has become too fast to be told.
  const limited = new Set(result.cells.filter(({ limitedBy }) => limitedBy !== undefined).map(keyOf));
  const isLimited = (ratio: RecordedRatio): boolean =>
    limited.has(keyOf(ratio)) || limited.has(keyOf({ ...ratio, subject: 'node:net' }));
  return recorded.ratios
    .filter((ratio) => (cases?.includes(ratio.case) ?? true) && !isLimited(ratio))
    .map((ratio) => compareOne(ratio, found.get(keyOf(ratio))));
}

function compareOne(recorded: RecordedRatio, now: RatioResult | undefined): Comparison {
  // Of what is better the higher it is, the inverse is what falls.
  const costOf = (ratio: number): number => (measureOf(recorded)?.better === 'higher' ? 1 / ratio : ratio);
  const before = costOf(recorded.median);
  const room = roomFor(recorded, now);
  const most = before < GAIN ? Math.min(before * room, 1) : before * room;
  const limit = costOf(most);
  if (!now) return { recorded, now, limit, verdict: 'missing' };
  const cost = costOf(now.median);
  return { recorded, now, limit, verdict: cost > most ? 'worse' : cost < before / room ? 'better' : 'same' };
}

/** The factor that chance may make: of the recorded median, and of this one. */
export function roomFor({ spread, runs }: RecordedRatio, now?: RatioResult): number {
  const seen = (now && deviationOfMedian(now)) ?? spread;
  const spreadNow = Math.min(Math.max(spread, seen), MOST_OF_RECORDED * spread);
  return Math.max(LEAST_CHANGE, Math.exp(BEYOND_CHANCE * Math.hypot(spread / Math.sqrt(runs), spreadNow)));
}
