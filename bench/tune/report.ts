/** The sweep on a terminal: what it says, the lines to set it, and the throughput that this comes from. */
import { digits, formatBytes, formatRatio } from '../format.js';
import { GENERATOR_MARK, headingLine, newTable, notes, pc, VERDICT_COLOURS } from '../report/terminal.js';
import { nameOf } from './conclude.js';
import { waysOf, type Setting, type SweepResult, type Way } from './model.js';
import { bytesPerSecond, conclusionRows, takeRows, throughputOf, type Figure, type Rows } from './tables.js';

/** Of a rate in the tables: MB/s. */
const MEGA = 1e6;

export function renderSweep(result: SweepResult): string {
  const ways = waysOf(result.takes);
  const parts = [
    headingLine(result),
    conclusions(result),
    takes(result),
    settings(result.settings),
    ...ways.map((way) => throughput(result, way)),
    legend(result),
    notes(result),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function tableOf([head = [], ...rows]: Rows): string {
  const table = newTable(head);
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

function conclusions(result: SweepResult): string {
  const all = result.conclusions;
  if (all.length === 0) return '';
  const table = tableOf(
    conclusionRows(result, ({ buffer, reason }) => {
      if (buffer !== 'default') return pc.bold(nameOf(buffer));
      return reason === 'few' ? 'too few rounds' : 'no change';
    }),
  );
  const reasons = all.filter(({ reason }) => reason === 'bend' || reason === 'noise');
  return [
    `${pc.bold('Which send buffer for which response')}: the smallest within the spread of the best, if all rounds agree`,
    table,
    ...reasons.map(({ way, bytes, text }) => `${way} ${formatBytes(bytes)}: ${text}`),
  ].join('\n');
}

function takes(result: SweepResult): string {
  const isCut = result.takes.some(({ clamped }) => clamped);
  return [
    `${pc.bold('What a send buffer takes')}: the largest response that leaves the server though nobody reads it`,
    // A range takes two lines of a cell.
    tableOf(takeRows(result).map((row) => row.map((text) => text.replace(' to ', ' to\n')))),
    pc.dim('in effect: SO_SNDBUF as it reads back; 1,000 connections: what the kernel may hold for as many'),
    ...(isCut
      ? [
          pc.dim(
            `cut: the system gave less than was asked for (${String(result.limits.mostBuffer)} is the most it takes)`,
          ),
        ]
      : []),
  ].join('\n');
}

function settings(all: readonly Setting[]): string {
  if (all.length === 0) return '';
  const lines = all.flatMap(({ where, lines: own, note }) => [
    `  ${where.padEnd(9)}${note}${own.length > 0 ? ':' : ''}`,
    ...own.map((line) => `           ${pc.bold(line)}`),
  ]);
  return [pc.bold('To set it'), ...lines].join('\n');
}

function throughput(result: SweepResult, way: Way): string {
  const { sizes, rows } = throughputOf(result, way);
  if (sizes.length === 0) return '';
  const body = rows.map(({ buffer, figures }) => [nameOf(buffer), ...figures.map(figureText)]);
  return `${pc.bold(way.name)}  ${way.title}\n${tableOf([['MB/s', ...sizes.map(formatBytes)], ...body])}`;
}

function figureText(figure: Figure | undefined): string {
  if (!figure) return '';
  const { cell, ratio, verdict } = figure;
  const value = `${digits(bytesPerSecond(figure) / MEGA)}${cell.limitedBy ? GENERATOR_MARK : ''}`;
  return ratio ? `${value}\n${VERDICT_COLOURS[verdict](formatRatio(ratio.median, ratio.bound))}` : value;
}

function legend({ cells }: SweepResult): string {
  const how = [
    'throughput on 8 connections, and the same against the default: the median of the rounds, taken within each of them.',
    'CPU, latencies and all samples stand in what --json and --html write.',
    ...(cells.some(({ limitedBy }) => limitedBy !== undefined)
      ? [`${GENERATOR_MARK} the reader was at its limit and the server was not`]
      : []),
  ];
  return pc.dim(how.join('\n'));
}
