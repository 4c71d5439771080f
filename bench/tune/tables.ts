/** The tables of what was found, for a terminal, a page and docs alike: texts, of which the first row is the head. */
import { digits, formatBytes, formatSpread } from '../format.js';
import type { BenchResult, CellResult, MeasureName, RatioResult } from '../model.js';
import { judge } from '../statistics.js';
import { nameOf, subjectWith } from './conclude.js';
import { distinct, waysOf, type BufferChoice, type Conclusion, type Findings, type Take, type Way } from './model.js';

export type Rows = readonly (readonly string[])[];

const MIB = 1024 * 1024;
/** What the kernel may hold is told for so many connections. */
const CONNECTIONS = 1000;

/** A row a response size, a column a way. */
export function conclusionRows(
  { conclusions }: Pick<Findings, 'conclusions'>,
  textOf: (conclusion: Conclusion) => string,
): Rows {
  const ways = waysOf(conclusions);
  const sizes = distinct(conclusions.map(({ bytes }) => bytes)).sort((a, b) => a - b);
  const rows = sizes.map((size) => [
    formatBytes(size),
    ...ways.map(({ name }) => {
      const found = conclusions.find(({ way, bytes }) => way === name && bytes === size);
      return found ? textOf(found) : '';
    }),
  ]);
  return [['response', ...ways.map(({ name }) => name)], ...rows];
}

/** What to set, and what for. */
export function recommendation({ buffer, reason, gain, best }: Conclusion): string {
  if (buffer !== 'default') return `${nameOf(buffer)}: ${formatSpread(gain)}`;
  if (reason === 'few') return 'too few rounds';
  return best.buffer === 'default' ? 'no change' : `no change: best ${formatSpread(best.gain)}`;
}

/** What each buffer takes whole, and what it may cost. */
export function takeRows({ takes }: Pick<Findings, 'takes'>): Rows {
  const ways = waysOf(takes);
  const rows = distinct(takes.map(({ buffer }) => buffer)).map((buffer) => {
    const own = takes.filter((take) => take.buffer === buffer);
    const effective = own.map((take) => take.effective);
    return [
      `${nameOf(buffer)}${own.some(({ clamped }) => clamped) ? ' (cut)' : ''}`,
      rangeOf(effective),
      rangeOf(effective.map((bytes) => CONNECTIONS * bytes)),
      ...ways.map(({ name }) => takeText(own.find(({ way }) => way === name))),
    ];
  });
  return [['send buffer', 'in effect', '1,000 connections', ...ways.map(({ name }) => name)], ...rows];
}

function takeText(take: Take | undefined): string {
  if (!take) return '';
  return take.bytes === take.tried ? `>= ${formatMemory(take.tried)}` : formatMemory(take.bytes);
}

/** One size, or the smallest and the largest: what grows by itself grows differently for different responses. */
function rangeOf(sizes: readonly number[]): string {
  return distinct([Math.min(...sizes), Math.max(...sizes)].map(formatMemory)).join(' to ');
}

/** `416 KiB`, `1.95 GiB`. */
export function formatMemory(bytes: number): string {
  // Four digits are for the next unit.
  if (bytes >= 1000 * MIB) return `${digits(bytes / MIB / 1024)} GiB`;
  return bytes >= MIB ? `${digits(bytes / MIB)} MiB` : `${digits(bytes / 1024)} KiB`;
}

export interface Figure {
  readonly cell: CellResult;
  /** Against the default. */
  readonly ratio: RatioResult | undefined;
  readonly verdict: ReturnType<typeof judge>;
}

type Figures = Pick<BenchResult, 'cells' | 'ratios'>;

/** What the bench has measured with a buffer. */
export function figureOf(
  { cells, ratios }: Figures,
  way: Way,
  bytes: number,
  buffer: BufferChoice,
  name: MeasureName = 'rate',
): Figure | undefined {
  const subject = subjectWith(way.subject, buffer);
  const isIt = (entry: CellResult | RatioResult): boolean =>
    entry.case === way.case && entry.params['bytes'] === bytes && entry.subject === subject && entry.measure === name;
  const cell = cells.find(isIt);
  if (!cell) return undefined;
  const ratio = ratios.find((entry) => isIt(entry) && entry.baseline === way.subject);
  return { cell, ratio, verdict: ratio ? judge(ratio) : '' };
}

export interface FigureRow {
  readonly buffer: BufferChoice;
  /** One a size. */
  readonly figures: readonly (Figure | undefined)[];
}

/** Throughput in one way: a row a buffer. */
export function throughputOf(
  { cells, ratios, takes }: Figures & Pick<Findings, 'takes'>,
  way: Way,
): { readonly sizes: readonly number[]; readonly rows: readonly FigureRow[] } {
  const sizes = distinct(cells.filter((cell) => cell.case === way.case).map(({ params }) => Number(params['bytes'])));
  const rows = takes
    .filter((take) => take.way === way.name)
    .map(({ buffer }) => ({
      buffer,
      figures: sizes.map((bytes) => figureOf({ cells, ratios }, way, bytes, buffer)),
    }));
  return { sizes, rows };
}

/** Bytes/s of responses of this size. */
export function bytesPerSecond({ cell }: Figure): number {
  return cell.median * Number(cell.params['bytes']);
}
