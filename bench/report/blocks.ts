/** Figures of several series, a row each: as a table, and as plots. */
import { latenciesOf } from '../latencies.js';
import type { BenchResult, LatencyResult, Measure, SeriesResult } from '../model.js';
import { cellsOf, ratiosOf } from '../statistics.js';
import { baselineOf, type Subject } from '../subjects.js';
import { cellIn, type Figures } from './cells.js';
import type { Block, Cell, Chart, Point, Row } from './model.js';

export interface Figure extends Pick<Row, 'muted' | 'detail'> {
  readonly name: string;
  /** Absent of what stands in the table alone. */
  readonly plot?: Pick<Chart, 'title' | 'meaning' | 'unit' | 'better'>;
  /** Empty where the subject has none. */
  cellOf(entry: Entry, subject: Subject): Cell | string;
}

export interface Entry extends Point, Figures {
  readonly of: SeriesResult;
  readonly latencies: readonly LatencyResult[];
}

export function entryOf({ lineup }: BenchResult, of: SeriesResult, point: Point): Entry {
  return { ...point, of, cells: cellsOf(of), ratios: ratiosOf(of, lineup), latencies: latenciesOf(of) };
}

export function measured({ name, meaning, unit, better }: Measure, title: string): Figure {
  return {
    ...{ name, plot: { title, meaning, unit, better } },
    cellOf: (entry, subject) => cellIn(entry, name, subject.name, baselineOf(subject)) ?? '',
  };
}

export function blockOf(
  { lineup }: BenchResult,
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
