/** Figures of several series, a row each: as a table, and as plots. */
import type { BenchResult, Measure, SeriesResult } from '../model.js';
import { baselineOf, type Subject } from '../subjects.js';
import { cellAt, spotOf } from './cells.js';
import type { Across, Block, Cell, Chart, Row } from './model.js';

export interface Figure extends Pick<Row, 'muted' | 'detail'> {
  readonly name: string;
  /** Absent of what stands in the table alone. */
  readonly plot?: Pick<Chart, 'title' | 'meaning' | 'unit' | 'better'>;
  /** Empty where the subject has none. */
  cellOf(entry: SeriesResult, subject: Subject): Cell | string;
}

export interface Entry {
  readonly label: string;
  readonly entry: SeriesResult;
  /** Where it stands on the axis of lines, and whether it is a part of them. */
  readonly at?: number;
  readonly apart?: boolean;
}

export function measured(result: BenchResult, { name, meaning, unit, better }: Measure, title: string): Figure {
  return {
    ...{ name, plot: { title, meaning, unit, better } },
    cellOf: (entry, subject) => cellAt(result, spotOf(entry, name, subject.name), baselineOf(subject)) ?? '',
  };
}

export function blockOf(
  { lineup }: BenchResult,
  id: string,
  entries: readonly Entry[],
  figures: readonly Figure[],
  axis?: Omit<Across, 'points'>,
): Pick<Block, 'charts' | 'table'> {
  const columns = lineup
    .map((subject) => ({
      subject: subject.name,
      cells: figures.map(({ cellOf }) => entries.map(({ entry }) => cellOf(entry, subject))),
    }))
    .filter(({ cells }) => cells.flat().some(Boolean));
  const rows = entries.flatMap(({ label }, at) =>
    figures.flatMap(({ name, muted, detail }, of): Row[] => {
      const cells = columns.map((column) => column.cells[of]?.[at] ?? '');
      return cells.some(Boolean) ? [{ name: `${label} ${name}`.trim(), cells, muted, detail }] : [];
    }),
  );
  const across = axis && { ...axis, points: entries.map(({ at = NaN, apart = false }) => ({ at, apart })) };
  const charts = figures.flatMap(({ name, plot }, of): Chart[] => {
    const sets = columns.map(({ subject, cells }) => ({
      subject,
      cells: (cells[of] ?? []).map((cell) => (typeof cell === 'string' ? null : cell)),
    }));
    const there = sets.filter(({ cells }) => cells.some(Boolean));
    if (!plot || there.length === 0) return [];
    return [{ id: `${id}-${name}`, ...plot, labels: entries.map(({ label }) => label), sets: there, across }];
  });
  return { charts, table: { head: columns.map(({ subject }) => subject), rows } };
}
