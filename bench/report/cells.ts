/** A figure of a result as it is shown. */
import { formatRatio, formatSpread, formatValue } from '../format.js';
import type { CellResult, MeasureName, RatioResult, SubjectName } from '../model.js';
import { judge, type Verdict } from '../statistics.js';
import type { Cell, ShownRatio } from './model.js';

/** Those of one series. */
export interface Figures {
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
}

export function shownRatio(
  { median: value, low, high, bound, baseline }: Pick<RatioResult, 'median' | 'low' | 'high' | 'bound' | 'baseline'>,
  verdict: Verdict,
): ShownRatio {
  const spread = formatSpread({ median: value, low, high, bound });
  return { baseline, value, low, high, text: formatRatio(value, bound), spread, verdict };
}

/** Undefined where the subject was not measured. */
export function cellIn(
  { cells, ratios }: Figures,
  measure: MeasureName,
  subject: SubjectName,
  baseline: SubjectName,
): Cell | undefined {
  const isIt = (entry: CellResult | RatioResult): boolean => entry.measure === measure && entry.subject === subject;
  const found = cells.find(isIt);
  if (!found) return undefined;
  const { median: value, samples, unit, limitedBy } = found;
  const [low, high] = [Math.min(value, ...samples), Math.max(value, ...samples)];
  const text = formatValue(value, unit);
  const spread = `${text} (${formatValue(low, unit)} to ${formatValue(high, unit)})`;
  const against = ratios.find((entry) => isIt(entry) && entry.baseline === baseline);
  const ratio = against && shownRatio(against, judge(against));
  return { value, low, high, text, spread, limited: limitedBy !== undefined, ratio };
}
