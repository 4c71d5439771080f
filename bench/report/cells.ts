/** A figure of a result as it is shown. */
import { formatRatio, formatSpread, formatValue } from '../format.js';
import type { CellResult, RatioResult, SeriesResult, SubjectName } from '../model.js';
import { judge } from '../statistics.js';
import type { Cell, ShownRatio } from './model.js';

export interface Figures {
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
}

/** Where a figure is found. */
export type Spot = Pick<CellResult, 'case' | 'params' | 'family' | 'measure' | 'subject'>;

type Place = Pick<Spot, 'case' | 'params' | 'family'>;

export function isOfSeries(entry: Place, { case: name, params, family }: Place): boolean {
  if (entry.case !== name || entry.family !== family) return false;
  // In a file each entry has an object of its own.
  return entry.params === params || JSON.stringify(entry.params) === JSON.stringify(params);
}

function isAt(entry: Spot, spot: Spot): boolean {
  return entry.subject === spot.subject && entry.measure === spot.measure && isOfSeries(entry, spot);
}

export function spotOf({ series }: SeriesResult, measure: Spot['measure'], subject: SubjectName): Spot {
  return { case: series.case.name, params: series.params, family: series.family, measure, subject };
}

export function shownRatio(ratio: RatioResult): ShownRatio {
  const { baseline, median: value, low, high, bound } = ratio;
  const texts = { text: formatRatio(value, bound), spread: formatSpread(ratio) };
  return { baseline, value, low, high, ...texts, verdict: judge(ratio) };
}

export function ratioAt(
  { ratios }: Pick<Figures, 'ratios'>,
  spot: Spot,
  baseline: SubjectName,
): ShownRatio | undefined {
  const ratio = ratios.find((entry) => entry.baseline === baseline && isAt(entry, spot));
  return ratio && shownRatio(ratio);
}

/** Undefined where the subject was not measured. */
export function cellAt(figures: Figures, spot: Spot, baseline: SubjectName): Cell | undefined {
  const found = figures.cells.find((entry) => isAt(entry, spot));
  if (!found) return undefined;
  const { median: value, samples, unit, limitedBy } = found;
  const [low, high] = [Math.min(value, ...samples), Math.max(value, ...samples)];
  const text = formatValue(value, unit);
  const spread = `${text} (${formatValue(low, unit)} to ${formatValue(high, unit)})`;
  const ratio = ratioAt(figures, spot, baseline);
  return { value, low, high, text, spread, limited: limitedBy !== undefined, ...(ratio && { ratio }) };
}
