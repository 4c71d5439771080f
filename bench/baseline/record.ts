/** From results to a baseline. */
import { withoutFiles, type JsonResult } from '../json.js';
import type { Mode, RatioResult } from '../model.js';
import { median } from '../statistics.js';
import { judgedRatios, keyOf, modeOf, type Baseline, type RecordedMode, type RecordedRatio } from './model.js';
import { deviationOf, deviationOfMedian } from './spread.js';

/** Of a kind: fewer don't show how runs differ. */
const LEAST_RUNS = 5;
/** Rounds agree by accident, the less of them the more so: nothing is steadier than this. */
const LEAST_SPREAD = 0.02;
/** Nor steadier than this part of what is common. */
const LEAST_OF_COMMON = 0.5;

/** The modes that the results are of are recorded anew, the others stay. Throws what the results lack. */
export function record(results: readonly JsonResult[], before: Baseline | undefined): Baseline {
  const dirty = results.find(({ versions }) => versions.commit.endsWith('-dirty'));
  if (dirty)
    throw new RangeError(`a result is of ${dirty.versions.commit}, which is no commit: nobody can build it again`);
  const modes: Partial<Record<Mode, RecordedMode>> = { ...before?.modes };
  for (const mode of ['default', 'quick'] as const) {
    const ofMode = results.filter((result) => modeOf(result) === mode);
    if (ofMode.length === 0) continue;
    if (ofMode.length < LEAST_RUNS) {
      throw new RangeError(`${String(LEAST_RUNS)} ${mode} runs are needed, and not ${String(ofMode.length)}`);
    }
    modes[mode] = recordMode(ofMode);
  }
  return { schema: 1, modes };
}

function recordMode(results: readonly JsonResult[]): RecordedMode {
  const found = new Map<string, RatioResult[]>();
  for (const ratio of results.flatMap(judgedRatios))
    found.set(keyOf(ratio), [...(found.get(keyOf(ratio)) ?? []), ratio]);
  const ratios = [...found.values()].map(recordRatio);
  const common = ratios.length === 0 ? 0 : median(ratios.map(({ spread }) => spread));
  return {
    runs: results.map(({ host, versions, command, started }) => ({
      ...{ cpu: host.cpu, cores: host.cores, kernel: host.kernel },
      ...{ node: versions.node, commit: versions.commit, command: withoutFiles(command), started },
    })),
    ratios: ratios.map((ratio) => ({ ...ratio, spread: rounded(Math.max(ratio.spread, common * LEAST_OF_COMMON)) })),
  };
}

function recordRatio(runs: readonly RatioResult[]): RecordedRatio {
  const [{ case: name, params, family, measure, subject }] = runs as [RatioResult];
  const medians = runs.map((run) => run.median);
  const within = runs.map((run) => deviationOfMedian(run) ?? 0);
  return {
    ...{ case: name, params, family, measure, subject },
    median: rounded(median(medians)),
    low: rounded(Math.min(...runs.map(({ low }) => low))),
    high: rounded(Math.max(...runs.map(({ high }) => high))),
    runs: runs.length,
    spread: Math.max(
      LEAST_SPREAD,
      Math.hypot(...within) / Math.sqrt(runs.length),
      // Runs differ by more than their rounds do: by what a machine is like that day.
      deviationOf(Math.min(...medians), Math.max(...medians), runs.length) ?? 0,
    ),
  };
}

/** Four significant digits: the file is read by people, and the rest is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
