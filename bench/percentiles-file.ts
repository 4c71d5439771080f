/** Files of `--hdr`: one latency distribution each, in the text format of HdrHistogram, which its plotter reads. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describeSeries } from './format.js';
import { middleOf, type LatencyHistogram } from './histogram.js';
import type { LatencyResult } from './model.js';

/** Values in microseconds. One line for each non-empty step, so that no percentile is lost between two lines. */
export function hgrmOf({ count, max, steps }: LatencyHistogram): string {
  const lines = ['       Value     Percentile TotalCount 1/(1-Percentile)', ''];
  let seen = 0;
  let sum = 0;
  let squares = 0;
  for (const [step, held] of steps) {
    const middle = middleOf(step) / 1e3;
    seen += held;
    sum += held * middle;
    squares += held * middle ** 2;
    const share = seen / count;
    const columns = [
      Math.min(middle, max).toFixed(3).padStart(12),
      share.toFixed(12).padStart(14),
      String(seen).padStart(10),
    ];
    // The last line covers all values and has no such number.
    if (seen < count) columns.push((count / (count - seen)).toFixed(2).padStart(14));
    lines.push(columns.join(' '));
  }
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - mean ** 2));
  return [
    ...lines,
    `#[Mean    = ${mean.toFixed(3).padStart(12)}, StdDeviation   = ${deviation.toFixed(3).padStart(12)}]`,
    `#[Max     = ${max.toFixed(3).padStart(12)}, Total count    = ${String(count).padStart(12)}]`,
    `#[Buckets = ${String(steps.length).padStart(12)}, SubBuckets     = ${String(1).padStart(12)}]`,
    '',
  ].join('\n');
}

/** `load-unix-no-work-at-75-native`, in characters that every file system allows. */
function fileNameOf({ case: name, params, family, subject }: LatencyResult): string {
  const words = [name, describeSeries(params, family, true), subject].join(' ');
  return `${words.replace(/[^A-Za-z0-9.]+/g, '-')}.hgrm`;
}

/** The folder must exist. */
export function writePercentiles(folder: string, latencies: readonly LatencyResult[]): void {
  for (const latency of latencies) writeFileSync(join(folder, fileNameOf(latency)), hgrmOf(latency.histogram));
}
