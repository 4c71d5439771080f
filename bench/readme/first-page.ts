/** The part of a result shown on the README's first page: six rows, and the gain relative to a handler's own work. */
import { formatRatio, formatValue } from '../format.js';
import type { CellResult, Params, RatioResult, SubjectName } from '../model.js';
import { describeRun, describeRounds, nodeOf, type Excerpt } from './figures.js';
import { markdownTable } from './markdown.js';
import { describeUnrest } from './quiet.js';

/** The server's CPU time over UNIX sockets. */
export interface FirstRow {
  readonly title: string;
  readonly case: string;
  readonly params?: Params;
}

/** Rows whose gain is shown relative to a handler's work. */
export const GAIN_ROWS = {
  each: { title: 'node:http, a connection per request', case: 'http-close' },
  kept: { title: 'node:http, kept connections', case: 'http' },
} as const satisfies Record<string, FirstRow>;

export const FIRST_ROWS: readonly FirstRow[] = [
  GAIN_ROWS.each,
  GAIN_ROWS.kept,
  {
    title: 'node:http, 64 KiB response from a fresh Buffer',
    case: 'http-body',
    params: { bytes: 65536, way: 'download' },
  },
  { title: 'node:http, a file of 1 MiB (`sendFile`)', case: 'file', params: { bytes: 1048576 } },
  { title: '64 B messages on 64 connections, per message', case: 'fanin' },
  { title: 'relay between two connections, per MiB', case: 'relay' },
];

/** Milliseconds that a handler computes. */
const HANDLERS = [0.1, 1, 5];

function isOf(entry: CellResult | RatioResult, row: FirstRow, subject: SubjectName): boolean {
  return (
    entry.case === row.case &&
    entry.measure === 'cpu' &&
    entry.family === 'unix' &&
    entry.subject === subject &&
    Object.entries(row.params ?? {}).every(([name, value]) => entry.params[name] === value)
  );
}

/** The `cpu` cell, in microseconds; undefined if the result has no such row. */
export function cellOf({ cells }: Excerpt, row: FirstRow, subject: SubjectName): CellResult | undefined {
  return cells.find((cell) => isOf(cell, row, subject));
}

export function ratioOf({ ratios }: Excerpt, row: FirstRow): RatioResult | undefined {
  return ratios.find((ratio) => isOf(ratio, row, 'native') && ratio.baseline === 'node:net');
}

function figures(excerpt: Excerpt, row: FirstRow): string[] {
  const [node, native, ratio] = [
    cellOf(excerpt, row, 'node:net'),
    cellOf(excerpt, row, 'native'),
    ratioOf(excerpt, row),
  ];
  if (node === undefined || native === undefined || ratio === undefined) return ['', ''];
  const valueOf = ({ median, unit }: CellResult): string => formatValue(median, unit);
  return [valueOf(node), `${valueOf(native)} (${formatRatio(ratio.median)})`];
}

function firstTable(excerpts: readonly Excerpt[]): string[] {
  const titles = excerpts.flatMap((excerpt) =>
    ['node:net', 'nearwire'].map((name) => [nodeOf(excerpt, excerpts), name].filter(Boolean).join(': ')),
  );
  const rows = FIRST_ROWS.map((row) => [row.title, ...excerpts.flatMap((excerpt) => figures(excerpt, row))]);
  return markdownTable(['server CPU', ...titles], rows);
}

export interface SavedShare {
  readonly percent: number;
  /** The range of the rounds: with the lowest and the highest of their ratios. */
  readonly low: number;
  readonly high: number;
}

/** The share of a request's CPU time that is saved, in percent, if the handler computes for this many milliseconds. */
export function savedShare(excerpt: Excerpt, row: FirstRow, handlerMillis: number): SavedShare | undefined {
  const [node, native] = [cellOf(excerpt, row, 'node:net'), cellOf(excerpt, row, 'native')];
  if (node === undefined || native === undefined) return undefined;
  const percentOf = (saved: number): number => (100 * saved) / (node.median + handlerMillis * 1000);
  const percent = percentOf(node.median - native.median);
  // Ratios are taken within a round: the medians imply a ratio between these two.
  const ratio = ratioOf(excerpt, row);
  if (ratio === undefined) return { percent, low: percent, high: percent };
  return { percent, low: percentOf(node.median * (1 - ratio.high)), high: percentOf(node.median * (1 - ratio.low)) };
}

function savedText(excerpt: Excerpt, row: FirstRow, handlerMillis: number): string {
  const saved = savedShare(excerpt, row, handlerMillis);
  return saved === undefined ? '' : `${saved.percent.toPrecision(2)} %`;
}

function gainTable(excerpt: Excerpt): string[] {
  const { each, kept } = GAIN_ROWS;
  return markdownTable(
    ['your handler computes for', 'CPU saved, a connection per request', 'CPU saved, kept connections'],
    HANDLERS.map((millis) => [
      `${String(millis)} ms`,
      savedText(excerpt, each, millis),
      savedText(excerpt, kept, millis),
    ]),
  );
}

export function renderGains([first]: readonly Excerpt[]): string {
  return first === undefined ? '' : gainTable(first).join('\n');
}

export function renderFirstPage(excerpts: readonly Excerpt[]): string {
  const [first] = excerpts;
  if (first === undefined) throw new Error('there is no result');
  return [
    ...firstTable(excerpts),
    '',
    `${describeRounds(excerpts)}; in brackets the ratio to \`node:net\`, taken within each round.`,
    ...describeRun(first),
    ...describeUnrest(excerpts),
  ].join('\n');
}
