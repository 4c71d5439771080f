/** Is a result worse than what was recorded, by more than chance? */
import type { JsonResult } from '../json.js';
import type { RatioResult } from '../model.js';
import { judgedRatios, keyOf, measureOf, type RecordedMode, type RecordedRatio, type RecordedRun } from './model.js';
import { deviationOfMedian, rootOfSquares } from './spread.js';

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
/**
 * Between processors that have the same code, ratios to node:net were seen to differ by up to 1.6 times (pipeline 9.4 on an
 * EPYC and 6 on a Xeon). A result of a machine that was not recorded is held to what that leaves.
 */
const OTHER_MACHINE = 0.25;

export type Verdict = 'worse' | 'better' | 'same' | 'missing';

export interface Comparison {
  readonly recorded: RecordedRatio;
  readonly now: RatioResult | undefined;
  /** The ratio from which on it is worse. */
  readonly limit: number;
  readonly verdict: Verdict;
}

/**
 * Virtual machines whose processors have one name differ by more than those of two names may; their kernels tell them apart.
 */
export function isRecordedMachine({ host }: Pick<JsonResult, 'host'>, runs: readonly RecordedRun[]): boolean {
  return runs.some(({ cpu, cores, kernel }) => cpu === host.cpu && cores === host.cores && kernel === host.kernel);
}

/** All that is recorded, or that of the named cases: what the result lacks is missing, and no news is bad news. */
export function compare(result: JsonResult, recorded: RecordedMode, cases?: readonly string[]): Comparison[] {
  const found = new Map(judgedRatios(result).map((ratio) => [keyOf(ratio), ratio]));
  // What the load generator holds back now is not missing: it has become too fast to be told.
  const limited = new Set(result.cells.filter(({ limitedBy }) => limitedBy !== undefined).map(keyOf));
  const isLimited = (ratio: RecordedRatio): boolean =>
    limited.has(keyOf(ratio)) || limited.has(keyOf({ ...ratio, subject: 'node:net' }));
  const elsewhere = isRecordedMachine(result, recorded.runs) ? 0 : OTHER_MACHINE;
  return recorded.ratios
    .filter((ratio) => (cases?.includes(ratio.case) ?? true) && !isLimited(ratio))
    .map((ratio) => compareOne(ratio, found.get(keyOf(ratio)), elsewhere));
}

function compareOne(recorded: RecordedRatio, now: RatioResult | undefined, elsewhere: number): Comparison {
  const lowerIsBetter = measureOf(recorded)?.better !== 'higher';
  const room = roomFor(recorded, now, elsewhere);
  const limit = lowerIsBetter ? recorded.median * room : recorded.median / room;
  if (!now) return { recorded, now, limit, verdict: 'missing' };
  const change = lowerIsBetter ? now.median / recorded.median : recorded.median / now.median;
  return { recorded, now, limit, verdict: change > room ? 'worse' : change < 1 / room ? 'better' : 'same' };
}

/** The factor that chance may make: of the recorded median, of this one, and of another machine. */
export function roomFor({ spread, runs }: RecordedRatio, now: RatioResult | undefined, elsewhere: number): number {
  const seen = (now && deviationOfMedian(now)) ?? spread;
  const spreadNow = Math.min(Math.max(spread, seen), MOST_OF_RECORDED * spread);
  const chance = rootOfSquares(spread / Math.sqrt(runs), spreadNow, elsewhere);
  return Math.max(LEAST_CHANGE, Math.exp(BEYOND_CHANCE * chance));
}
