/** Figures of several series, one row each: as a table, and as plots. */
import { formatRatio, formatSpread, formatValue, type Spread } from '../format.js';
import type {
  BenchResult,
  CellResult,
  LatencyResult,
  Measure,
  MeasureName,
  RatioResult,
  SeriesResult,
  SubjectName,
} from '../model.js';
import { cellsOf, judge, latenciesOf, ratiosOf, type Verdict } from '../statistics.js';
import { baselineOf, type Subject } from '../subjects.js';
import type { Block, Cell, Chart, Point, Row, ShownRatio } from './model.js';

export interface Figure extends Pick<Row, 'muted' | 'detail'> {
  readonly name: string;
  /** Absent for figures that appear only in the table. */
  readonly plot?: Pick<Chart, 'title' | 'meaning' | 'unit' | 'better'>;
  /** Empty if the subject has none. */
  cellOf(entry: Entry, subject: Subject): Cell | string;
}

/** The part of a result that blocks need in addition to the series. */
export type Lineup = Pick<BenchResult, 'lineup'>;

export interface Entry extends Point {
  readonly of: SeriesResult;
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
  readonly latencies: readonly LatencyResult[];
}

export function entryOf({ lineup }: Lineup, of: SeriesResult, point: Point): Entry {
  return { ...point, of, cells: cellsOf(of), ratios: ratiosOf(of, lineup), latencies: latenciesOf(of) };
}

export function shownRatio(spread: Spread, baseline: SubjectName, verdict: Verdict): ShownRatio {
  const { median: value, low, high, bound } = spread;
  return { baseline, value, low, high, text: formatRatio(value, bound), spread: formatSpread(spread), verdict };
}

export function measured({ name, meaning, unit, better }: Measure, title: string): Figure {
  return {
    ...{ name, plot: { title, meaning, unit, better } },
    cellOf: (entry, subject) => cellIn(entry, name, subject.name, baselineOf(subject)) ?? '',
  };
}

/** Undefined if the subject was not measured. */
export function cellIn(
  { cells, ratios }: Pick<Entry, 'cells' | 'ratios'>,
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
  const ratio = against && shownRatio(against, baseline, judge(against));
  return { value, low, high, text, spread, limited: limitedBy !== undefined, ratio };
}

export function blockOf(
  { lineup }: Lineup,
  id: string,
  entries: readonly Entry[],
  figures: readonly Figure[],
  across?: Chart['across'],
): Pick<Block, 'charts' | 'head' | 'rows'> {
  const columns = lineup
    .map((subject) => ({
      subject: subject.name,
      cells: figures.map(({ cellOf }) => entries.map((entry) => cellOf(entry, subject))),
    }))
    .filter(({ cells }) => cells.flat().some(Boolean));
  const rows = entries.flatMap(({ label }, at) =>
    figures.flatMap(({ name, muted, detail }, of): Row[] => {
      const cells = columns.map((column) => column.cells[of]?.[at] ?? '');
      return cells.some(Boolean) ? [{ name: `${label} ${name}`.trim(), cells, muted, detail }] : [];
    }),
  );
  const points = entries.map(({ label, at, apart }) => ({ label, at, apart }));
  const charts = figures.flatMap(({ name, plot }, of): Chart[] => {
    const sets = columns.map(({ subject, cells }) => ({
      subject,
      cells: (cells[of] ?? []).map((cell) => (typeof cell === 'string' ? null : cell)),
    }));
    const there = sets.filter(({ cells }) => cells.some(Boolean));
    return plot && there.length > 0 ? [{ id: `${id}-${name}`, ...plot, points, sets: there, across }] : [];
  });
  return { charts, head: columns.map(({ subject }) => subject), rows };
}
