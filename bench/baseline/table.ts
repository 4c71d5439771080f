/** What a comparison says, for a terminal. */
import Table from 'cli-table3';

import { describeParams, digits, formatRatio, formatSpread } from '../format.js';
import { measureOf, type RecordedRatio } from './model.js';
import type { Comparison, Verdict } from './compare.js';

const SHOWN: readonly Verdict[] = ['worse', 'missing', 'better'];

export function describeRatio({ case: name, params, family, measure, subject }: RecordedRatio): string {
  return [name, describeParams(params), family, measure, subject].filter(Boolean).join(' ');
}

/** The ratios that are not as recorded, and how many there are of each kind. */
export function renderComparison(comparisons: readonly Comparison[]): string {
  const shown = SHOWN.flatMap((verdict) => comparisons.filter((entry) => entry.verdict === verdict));
  const count = (verdict: Verdict): string => String(comparisons.filter((entry) => entry.verdict === verdict).length);
  const summary =
    `${String(comparisons.length)} ratios to node:net: ${count('same')} as recorded, ${count('better')} better, ` +
    `${count('worse')} worse, ${count('missing')} not measured`;
  if (shown.length === 0) return `${summary}\n`;
  const table = new Table({
    head: ['', 'recorded', 'now', 'may be', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'left'],
  });
  for (const { recorded, now, limit, verdict } of shown) {
    const bound = measureOf(recorded)?.better === 'higher' ? 'at least' : 'at most';
    table.push([
      describeRatio(recorded),
      `${formatRatio(recorded.median)} (${digits(recorded.low)} to ${digits(recorded.high)})`,
      now ? formatSpread(now) : '',
      `${bound} ${formatRatio(limit)}`,
      verdict === 'missing' ? 'not measured' : verdict,
    ]);
  }
  return `${table.toString()}\n${summary}\n`;
}
