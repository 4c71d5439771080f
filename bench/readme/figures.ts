/**
 * Tables of figures in README and docs, and the excerpts of results that they need: small enough to be recorded next to
 * them, so that a test can compare both.
 */
import { formatSpread, formatValue } from '../format.js';
import { withoutFiles, type JsonResult } from '../json.js';
import type { CellResult, MeasureName, Params, RatioResult, RunRecord, SubjectName } from '../model.js';
import { markdownTable } from './markdown.js';

export interface Excerpt extends Omit<JsonResult, 'seconds'> {
  /** Of the whole run, whatever the tables show; absent from older records. */
  readonly losses?: readonly RatioResult[];
}

export interface Row {
  readonly title: string;
  readonly case: string;
  /** Parameters that the row's series must have. */
  readonly params?: Params;
  readonly measure: MeasureName;
}

export interface Column {
  readonly title: string;
  readonly subject: SubjectName;
  textOf(cell: CellResult | undefined, ratioTo: (baseline: SubjectName) => RatioResult | undefined): string;
}

function isOf(entry: CellResult | RatioResult, row: Row): boolean {
  return (
    entry.case === row.case &&
    entry.measure === row.measure &&
    Object.entries(row.params ?? {}).every(([name, value]) => entry.params[name] === value)
  );
}

export function excerptOf(result: JsonResult, rows: readonly Row[], subjects: readonly SubjectName[]): Excerpt {
  const { host, versions, command, started, cells, ratios } = result;
  const isShown = (entry: CellResult | RatioResult): boolean =>
    subjects.includes(entry.subject) && rows.some((row) => isOf(entry, row));
  return {
    ...{ schema: 1, host, versions, command: withoutFiles(command), started },
    // Only the median is shown.
    cells: cells.filter(isShown).map((cell) => ({ ...cell, samples: [] })),
    ratios: ratios.filter(isShown),
  };
}

/** The median, or nothing if the subject has none. */
export function valueText(cell: CellResult | undefined): string {
  // If the load generator was the limit, the server may be faster.
  return cell ? `${cell.limitedBy ? 'over ' : ''}${formatValue(cell.median, cell.unit)}` : '';
}

export function ratioTextTo(baseline: SubjectName): Column['textOf'] {
  return (_, ratioTo) => {
    const ratio = ratioTo(baseline);
    return ratio ? formatSpread(ratio) : '';
  };
}

/** Leaves out rows and columns without values; returns no lines if nothing is left. */
export function figureTable(
  rows: readonly Row[],
  columns: readonly (Column & { readonly of: Excerpt })[],
  family: keyof typeof FAMILY_TITLES = 'unix',
): string[] {
  const textsOf = (row: Row): string[] =>
    columns.map(({ of, subject, textOf }) => {
      const isIt = (entry: CellResult | RatioResult): boolean =>
        entry.family === family && entry.subject === subject && isOf(entry, row);
      return textOf(of.cells.find(isIt), (to) => of.ratios.find((ratio) => isIt(ratio) && ratio.baseline === to));
    });
  const lines = rows.map((row) => ({ row, texts: textsOf(row) })).filter(({ texts }) => texts.some(Boolean));
  if (lines.length === 0) return [];
  const there = columns.map((_, at) => lines.some(({ texts }) => texts[at]));
  const shown = <T>(of: readonly T[]): T[] => of.filter((_, at) => there[at]);
  return markdownTable(
    [`over ${FAMILY_TITLES[family]}`, ...shown(columns).map(({ title }) => title)],
    lines.map(({ row, texts }) => [row.title, ...shown(texts)]),
  );
}

const FAMILY_TITLES = { unix: 'UNIX sockets', tcp: 'TCP' } as const;

/** Distinguishes the results of several versions of Node; empty if there is only one. */
export function nodeOf({ versions }: Excerpt, among: readonly Excerpt[]): string {
  return among.length === 1 ? '' : `Node ${versions.node.split('.')[0] ?? ''}`;
}

export function describeRounds(excerpts: readonly Excerpt[]): string {
  const rounds = excerpts.flatMap(({ ratios }) => ratios.map((ratio) => ratio.rounds));
  const [fewest, most] = [Math.min(...rounds), Math.max(...rounds)].map(String);
  return `Medians of ${[...new Set([fewest, most])].join(' to ')} rounds`;
}

export function describeRun({ started, host, versions, command }: Omit<RunRecord, 'seconds'>): string[] {
  return [
    `${started.slice(0, 10)}, ${host.cpu}, ${String(host.cores)} cores, ${host.kernel}, Node ${versions.node},`,
    `nearwire ${versions.nearwire} (${versions.commit}), \`${command}\`.`,
  ];
}
