/** The findings as the tables of a report, for a terminal, a page and docs. Line breaks in a cell may be replaced. */
import { digits, formatBytes, formatSpread, formatValue } from '../format.js';
import type { BenchResult, CellResult, MeasureName, RatioResult } from '../model.js';
import { cellIn } from '../report/blocks.js';
import type { Block, Cell, Section } from '../report/model.js';
import { nameOf, subjectWith } from './conclude.js';
import type { BufferChoice, Conclusion, Findings, SweepResult, Take, Way } from './model.js';
import { distinct, ordered, sizesOf, waysOf } from './model.js';

const MIB = 1024 * 1024;
/** The number of connections for which the kernel's memory is stated. */
const CONNECTIONS = 1000;

export function sectionsOf(result: SweepResult): { readonly found: Section[]; readonly throughput: Section[] } {
  const { conclusions, takes, limits } = result;
  const told = conclusions.filter(({ reason }) => reason === 'bend' || reason === 'noise');
  const findings = told.map(({ way, bytes, text }) => `${way} ${formatBytes(bytes)}: ${text}`);
  const spread = 'The smallest within the spread of the best, if all rounds agree that it is better than the default';
  const unread = 'The largest response that leaves the server although it is not read';
  const cut = `cut: the system granted less than was requested (${String(limits.mostBuffer)} is the most it takes)`;
  const words = [
    ...[unread, 'in effect: SO_SNDBUF as it reads back', '1,000 connections: what the kernel may hold for that many'],
    ...(takes.some(({ clamped }) => clamped) ? [cut] : []),
  ];
  return {
    found: [
      sectionOf('conclusions', 'Which send buffer for which response', conclusionTable(result), spread, findings),
      sectionOf('takes', 'What a send buffer holds', takeTable(result), words.join(';\n')),
    ],
    throughput: waysOf(takes).map((way) => sectionOf(way.name, way.title, throughputTable(result, way))),
  };
}

type Table = Pick<Block, 'head' | 'rows'>;

function sectionOf(name: string, title: string, table: Table, note = '', findings: readonly string[] = []): Section {
  return { name, title, blocks: [{ charts: [], ...table, note, findings }] };
}

/** One row per response size, one column per way. */
export function conclusionTable({ conclusions }: Pick<Findings, 'conclusions'>) {
  const ways = waysOf(conclusions).map(({ name }) => name);
  const rows = sizesOf(conclusions).map((size) => ({
    name: formatBytes(size),
    cells: ways.map((name) => {
      const found = conclusions.find(({ way, bytes }) => way === name && bytes === size);
      return found ? recommendation(found) : '';
    }),
  }));
  return { head: ways, rows };
}

/** The recommendation, and its gain. */
function recommendation({ buffer, reason, gain, best }: Conclusion): string {
  if (buffer !== 'default') return `${nameOf(buffer)}:\n${formatSpread(gain)}`;
  if (reason === 'few') return 'too few rounds';
  return best.buffer === 'default' ? 'no change' : `no change:\nbest ${formatSpread(best.gain)}`;
}

/** What each buffer takes completely, and what it may cost. */
export function takeTable({ takes }: Pick<Findings, 'takes'>) {
  const ways = waysOf(takes).map(({ name }) => name);
  const rows = distinct(takes.map(({ buffer }) => buffer)).map((buffer) => {
    const own = takes.filter((take) => take.buffer === buffer);
    const effective = own.map((take) => take.effective);
    return {
      name: `${nameOf(buffer)}${own.some(({ clamped }) => clamped) ? ' (cut)' : ''}`,
      cells: [
        rangeOf(effective),
        rangeOf(effective.map((bytes) => CONNECTIONS * bytes)),
        ...ways.map((name) => takeText(own.find(({ way }) => way === name))),
      ],
    };
  });
  return { head: ['in effect', '1,000 connections', ...ways], rows };
}

function takeText(take: Take | undefined): string {
  if (!take) return '';
  return `${take.bytes === take.tried ? '>= ' : ''}${formatMemory(take.bytes)}`;
}

/**
 * One size, or the smallest and the largest: a buffer that grows by itself grows differently for different responses.
 */
function rangeOf(sizes: readonly number[]): string {
  return distinct([Math.min(...sizes), Math.max(...sizes)].map(formatMemory)).join(' to\n');
}

/** `416 KiB`, `1.95 GiB`. */
function formatMemory(bytes: number): string {
  // Four digits call for the next unit.
  if (bytes >= 1000 * MIB) return `${digits(bytes / MIB / 1024)} GiB`;
  return bytes >= MIB ? `${digits(bytes / MIB)} MiB` : `${digits(bytes / 1024)} KiB`;
}

export interface HeatCell extends Cell {
  readonly isToBeSet: boolean;
}

/** Throughput in one way: one row per buffer, one column per size. */
export function throughputTable(sweep: SweepResult, way: Way) {
  const { cells, takes, conclusions } = sweep;
  const measured = cells.filter((cell) => cell.case === way.case);
  const sizes = ordered(measured.map(({ params }) => Number(params['bytes'])));
  const heatCell = (buffer: BufferChoice, bytes: number): HeatCell | '' => {
    const cell = figureOf(sweep, way, bytes, buffer, 'rate');
    const found = conclusions.find((conclusion) => conclusion.way === way.name && conclusion.bytes === bytes);
    return cell ? { ...cell, isToBeSet: found?.buffer === buffer } : '';
  };
  const rows = takes
    .filter((take) => take.way === way.name)
    .map(({ buffer }) => ({ name: nameOf(buffer), cells: sizes.map((bytes) => heatCell(buffer, bytes)) }));
  return { head: sizes.map(formatBytes), rows };
}

/** The bench's result with a buffer; a rate is shown in bytes/s. */
export function figureOf(
  { cells, ratios }: Pick<BenchResult, 'cells' | 'ratios'>,
  way: Way,
  bytes: number,
  buffer: BufferChoice,
  measure: MeasureName,
): Cell | undefined {
  const isOfSeries = (entry: CellResult | RatioResult): boolean =>
    entry.case === way.case && entry.params['bytes'] === bytes && entry.measure === measure;
  const figures = { cells: cells.filter(isOfSeries), ratios: ratios.filter(isOfSeries) };
  const found = cellIn(figures, measure, subjectWith(way.subject, buffer), way.subject);
  return found && measure === 'rate' ? { ...found, text: formatValue(found.value * bytes, 'bytes/s') } : found;
}
