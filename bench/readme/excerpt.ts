/** As much of a result as the tables in README and docs need: small enough to stand beside them, for a test to hold them together. */
import type { JsonResult } from '../json.js';
import type { CellResult, Family, MeasureName, Params, RatioResult, RunRecord, SubjectName } from '../model.js';
import { cellAt, ratioAt, type Spot } from '../report/cells.js';
import { markdownTable } from './markdown.js';

export interface Excerpt extends Omit<JsonResult, 'seconds'> {
  /** Of the whole run, whatever the tables show; absent of what was recorded before they were. */
  readonly losses?: readonly RatioResult[];
}

/** The file has one, or one for each version of Node. */
export type Recorded = Excerpt | readonly Excerpt[];

export function excerptsOf(recorded: Recorded): readonly Excerpt[] {
  return 'cells' in recorded ? [recorded] : recorded;
}

/** What tells the excerpts apart, undefined of a single one: `Node 24`. */
export function nodeOf({ versions: { node } }: Excerpt, among: readonly Excerpt[]): string | undefined {
  const majorOf = (version: string): string => version.split('.')[0] ?? '';
  const alike = among.filter(({ versions }) => majorOf(versions.node) === majorOf(node));
  return among.length === 1 ? undefined : `Node ${alike.length === 1 ? majorOf(node) : node}`;
}

export interface Row {
  readonly title: string;
  readonly case: string;
  /** Those that the row's series has among others. */
  readonly params?: Params;
  readonly measure: MeasureName;
}

export function isOf(entry: CellResult | RatioResult, row: Row, family: Family = 'unix'): boolean {
  return (
    entry.case === row.case &&
    entry.family === family &&
    entry.measure === row.measure &&
    Object.entries(row.params ?? {}).every(([name, value]) => entry.params[name] === value)
  );
}

export interface Column {
  readonly title: string;
  readonly subject: SubjectName;
  textOf(excerpt: Excerpt, spot: Spot): string;
}

/** The median, or nothing where the subject has none. */
export function valueText(excerpt: Excerpt, spot: Spot): string {
  const cell = cellAt(excerpt, spot, 'node:net');
  // Where the load generator was the limit, the server could do more.
  return cell ? `${cell.limited ? 'over ' : ''}${cell.text}` : '';
}

export function ratioTextTo(baseline: SubjectName): Column['textOf'] {
  return (excerpt, spot) => ratioAt(excerpt, spot, baseline)?.spread ?? '';
}

/** Nothing where nobody has any of the rows. */
export function figureTable(
  corner: string,
  rows: readonly Row[],
  columns: readonly (Column & { readonly of: Excerpt })[],
  family: Family = 'unix',
): string[] {
  const lines = rows.flatMap((row) => {
    const spots = columns.map(({ of, subject }) => {
      const found = of.cells.find((cell) => isOf(cell, row, family));
      return found && { ...found, subject };
    });
    if (!spots.some(Boolean)) return [];
    const texts = columns.map(({ of, textOf }, at) => {
      const spot = spots[at];
      return spot ? textOf(of, spot) : '';
    });
    return [[row.title, ...texts]];
  });
  return lines.length === 0 ? [] : markdownTable([corner, ...columns.map(({ title }) => title)], lines);
}

export function describeRounds(excerpts: readonly Excerpt[]): string {
  const rounds = excerpts.flatMap(({ ratios }) => ratios.map((ratio) => ratio.rounds));
  const [fewest, most] = [Math.min(...rounds), Math.max(...rounds)];
  return `Medians of ${fewest === most ? String(most) : `${String(fewest)} to ${String(most)}`} rounds`;
}

export function describeRun({ started, host, versions, command }: Omit<RunRecord, 'seconds'>): string[] {
  return [
    `${started.slice(0, 10)}, ${host.cpu}, ${String(host.cores)} cores, ${host.kernel}, Node ${versions.node},`,
    `nearwire ${versions.nearwire} (${versions.commit}), \`${command}\`.`,
  ];
}
