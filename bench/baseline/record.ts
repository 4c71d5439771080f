/** From results to a baseline. */
import { withoutFiles, type JsonResult } from '../json.js';
import type { Mode, RatioResult } from '../model.js';
import { median } from '../statistics.js';
import { judgedRatios, keyOf, modeOf, type Baseline, type RecordedMode, type RecordedRatio } from './model.js';
import { deviationOf, deviationOfMedian, rootOfSquares } from './spread.js';

/** What is taken where one run of one round does not show it, and how runs differ where there is one. */
const UNKNOWN_WITHIN = 0.1;
const UNKNOWN_BETWEEN = 0.05;
/** Rounds agree by accident, the less of them the more so: nothing is steadier than this. */
const LEAST_SPREAD = 0.02;
/** Nor steadier than this part of what is common. */
const LEAST_OF_COMMON = 0.5;

/** The modes that the results are of are recorded anew, the others stay. */
export function record(results: readonly JsonResult[], before: Baseline | undefined): Baseline {
  const modes: Partial<Record<Mode, RecordedMode>> = { ...before?.modes };
  for (const mode of ['default', 'quick'] as const) {
    const ofMode = results.filter((result) => modeOf(result) === mode);
    if (ofMode.length > 0) modes[mode] = recordMode(ofMode);
  }
  return { schema: 1, modes };
}

function recordMode(results: readonly JsonResult[]): RecordedMode {
  const found = new Map<string, RatioResult[]>();
  for (const ratio of results.flatMap(judgedRatios))
    found.set(keyOf(ratio), [...(found.get(keyOf(ratio)) ?? []), ratio]);
  const ratios = [...found.values()].flatMap(recordRatio);
  const common = ratios.length === 0 ? 0 : median(ratios.map(({ spread }) => spread));
  return {
    runs: results.map(({ host, versions, command, started }) => ({
      ...{ cpu: host.cpu, cores: host.cores, kernel: host.kernel },
      ...{ node: versions.node, commit: versions.commit, command: withoutFiles(command), started },
    })),
    ratios: ratios.map((ratio) => ({ ...ratio, spread: rounded(Math.max(ratio.spread, common * LEAST_OF_COMMON)) })),
  };
}

function recordRatio(runs: readonly RatioResult[]): RecordedRatio[] {
  const [first] = runs;
  if (!first) return [];
  const { case: name, params, family, measure, subject } = first;
  const medians = runs.map((run) => run.median);
  const between = deviationOf(Math.min(...medians), Math.max(...medians), runs.length);
  const rounds = runs.map(deviationOfMedian).filter((deviation) => deviation !== undefined);
  const within = rounds.length === 0 ? undefined : meanSquare(rounds);
  return [
    {
      ...{ case: name, params, family, measure, subject },
      median: rounded(median(medians)),
      low: rounded(Math.min(...runs.map(({ low }) => low))),
      high: rounded(Math.max(...runs.map(({ high }) => high))),
      runs: runs.length,
      spread: Math.max(LEAST_SPREAD, spreadOf(within, between)),
    },
  ];
}

/** Runs differ by more than their rounds do: by what a machine is like that day. */
function spreadOf(within: number | undefined, between: number | undefined): number {
  if (between === undefined) return rootOfSquares(within ?? UNKNOWN_WITHIN, UNKNOWN_BETWEEN);
  return Math.max(within ?? 0, between);
}

function meanSquare(values: readonly number[]): number {
  return Math.hypot(...values) / Math.sqrt(values.length);
}

/** Four significant digits: the file is read by people, and the rest is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
