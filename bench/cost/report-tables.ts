/** The tables of the report: a value in the first line of each cell, its interval in the second. */
import Table from 'cli-table3';
import type picocolors from 'picocolors';

import {
  curveGroups,
  hasLayers,
  LAYERS,
  layerOf,
  systemCallRows,
  type ArrangedRow,
  type LanguageRows,
  type StackHead,
  type WorkRows,
} from './arrange.js';
import {
  formatCount,
  formatDeviation,
  formatInterval,
  formatRate,
  formatShare,
  formatTime,
  notNegative,
  type Format,
} from './figures.js';
import { HELD_MEANS } from './held.js';
import type { CostResult, Figure, LayerResult, Split } from './model.js';
import { wrap } from './wrap.js';

export type Colours = ReturnType<typeof picocolors.createColors>;

/** From here on there is room for intervals with both ends, and for titles in one line. */
const WIDE = 132;
const NOISE_MARK = '~';

function newTable(head: readonly string[], columns: number, pc: Colours): Table.Table {
  const numbers = head.length - 1;
  const wide = columns >= WIDE;
  // Figures of `12.3 us` and `±4.2 %`, or of `12.3 to 13.1 us`; a line between columns, one at each end.
  const number = wide ? 18 : 9;
  const title = Math.max(16, Math.min(wide ? 44 : 28, columns - numbers * (number + 1) - 2));
  return new Table({
    head: [...head],
    style: {
      head: [],
      border: pc.isColorSupported ? ['dim'] : [],
      compact: true,
      'padding-left': 0,
      'padding-right': 1,
    },
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    colWidths: [title, ...Array.from({ length: numbers }, () => number)],
    wordWrap: true,
  });
}

export function rowTables({ title, works }: LanguageRows, columns: number, pc: Colours): string[] {
  const wide = columns >= WIDE;
  const cell = (figure: Figure | undefined, format: Format): string => cellText(figure, format, wide, pc);
  return works.map(({ work, rows }) => {
    const table = newTable(['', 'req/s', 'alone', 'p99', 'CPU front', 'CPU app', 'hop'], columns, pc);
    for (const { stack, row, time, cpu } of rows) {
      table.push([
        stack.title,
        cell(row.rate, formatRate),
        cell(row.latency, formatTime),
        cell(row.p99, formatTime),
        cell(row.cpu.front?.all, formatTime),
        cell(row.cpu.app?.all, formatTime),
        shareText(layerOf(time ?? cpu, 'hop'), wide, pc),
      ]);
    }
    return `${pc.bold(`${title}, ${work.name}`)}  ${work.title}\n${table.toString()}`;
  });
}

function cellText(figure: Figure | undefined, format: Format, wide: boolean, pc: Colours): string {
  if (!figure) return '';
  const interval = wide ? formatInterval(notNegative(figure), format) : formatDeviation(figure);
  return `${format(figure.median)}\n${pc.dim(interval)}`;
}

function shareText(layer: LayerResult | undefined, wide: boolean, pc: Colours): string {
  if (!layer) return '';
  const interval = wide ? formatInterval(layer.share, formatShare) : formatDeviation(layer.share);
  return `${layer.inNoise ? NOISE_MARK : ''}${formatShare(layer.share.median)}\n${pc.dim(layer.inNoise ? 'in noise' : interval)}`;
}

/** Of time and of CPU, of the first work in which there is anything to split: those of all would fill a book. */
export function layerTables(language: LanguageRows, columns: number, pc: Colours): string[] {
  const { title, works } = language;
  if (!hasLayers(language)) return [];
  const split = works.find(({ rows }) => rows.some(({ time, cpu }) => time ?? cpu));
  if (!split) return [];
  return (['time', 'cpu'] as const).flatMap((of) => layerTable(title, split, of, columns, pc));
}

function layerTable(
  language: string,
  { work, rows }: WorkRows,
  of: Split['of'],
  columns: number,
  pc: Colours,
): string[] {
  const split = rows.flatMap((row): { stack: StackHead; split: Split }[] => {
    const found = splitOf(row, of);
    return found ? [{ stack: row.stack, split: found }] : [];
  });
  if (split.length === 0) return [];
  const wide = columns >= WIDE;
  const table = newTable(
    ['', ...LAYERS.map(({ name, title }) => (name === 'application' ? 'app' : title)), 'whole', 'adds up'],
    columns,
    pc,
  );
  for (const { stack, split: entry } of split) {
    table.push([
      stack.title,
      ...LAYERS.map(({ name }) => layerText(layerOf(entry, name), pc)),
      cellText(entry.whole, formatTime, wide, pc),
      cellText(entry.crossCheck, formatShare, wide, pc),
    ]);
  }
  const what = of === 'time' ? 'layers of a lone request, by time' : 'layers, by CPU of all processes';
  return [`${pc.bold(`${language}, ${work.name}`)}  ${what}\n${table.toString()}`];
}

function splitOf({ time, cpu }: ArrangedRow, of: Split['of']): Split | undefined {
  return of === 'time' ? time : cpu;
}

function layerText(layer: LayerResult | undefined, pc: Colours): string {
  if (!layer) return '';
  const { figure, share, inNoise } = layer;
  return `${inNoise ? NOISE_MARK : ''}${formatTime(figure.median)}\n${pc.dim(formatShare(share.median))}`;
}

export function tableLegend(width: number, pc: Colours): string {
  const words = [
    'Medians of the rounds, under them the interval in which the median of another run is to be expected.',
    'req/s, p99 and CPU: with many requests at a time, CPU a request of all processes of that role.',
    "alone: one request at a time, from its sending to the answer's last byte.",
    "hop: the kernel's share between front and app, of a lone request's time; of CPU where time was not split.",
    `${NOISE_MARK}: the interval contains 0; all that can be said is that it is small.`,
    'adds up: front and app, each measured in other company and put together, against the whole.',
    'The layers of the other works stand in what --html and --json write.',
  ];
  return pc.dim(wrap(words.join(' '), width));
}

/** How many system calls a lone request takes; which they are stands in the file and on the page. */
export function systemCallTable(result: CostResult, columns: number, width: number, pc: Colours): string {
  const rows = systemCallRows(result);
  if (rows.length === 0) return '';
  const table = newTable(['', 'front', 'app', 'hop'], columns, pc);
  for (const { title, front, app, hop } of rows) table.push([title, ...[front, app, hop].map(formatCount)]);
  const legend =
    'Counted by strace, those of waiting included. hop: what the front makes more than alone, and all that the app makes. ' +
    'Which they are stands in what --html and --json write.';
  return `${pc.bold('System calls of a lone request')}\n${table.toString()}\n${pc.dim(wrap(legend, width))}`;
}

/** How far each stack holds, and what comes after. */
export function curveTable(result: CostResult, columns: number, width: number, pc: Colours): string {
  const groups = curveGroups(result);
  if (groups.length === 0) return '';
  const table = newTable(['', 'holds', 'p99 there', 'offered', 'served', 'p99', 'errors'], columns, pc);
  for (const { curves } of groups) {
    for (const { head, work, holds, points } of curves) {
      const held = points.find(({ offered }) => offered === holds);
      const beyond = points.find(({ offered }) => holds === undefined || offered > holds);
      table.push([
        `${head.title}, ${work}`,
        holds === undefined ? 'none' : formatRate(holds),
        held ? formatTime(held.p99) : '',
        ...(beyond
          ? [formatRate(beyond.offered), formatRate(beyond.served), formatTime(beyond.p99), String(beyond.errors)]
          : ['', '', '', '']),
      ]);
    }
  }
  const legend = `holds: the highest rate at which ${HELD_MEANS}; behind it the next one up`;
  return `${pc.bold('Rising rates')}\n${table.toString()}\n${pc.dim(wrap(legend, width))}`;
}
