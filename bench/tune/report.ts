/** The sweep on a terminal: a table a subject, what it says, and the lines to set it. */
import { isatty } from 'node:tty';

import Table from 'cli-table3';
import picocolors from 'picocolors';

import { digits, formatBytes, formatRatio, formatSeconds, formatValue } from '../format.js';
import { ROUNDS_TO_JUDGE } from '../statistics.js';
import { nameOf } from './conclude.js';
import { SUBJECTS, type CellResult, type Setting, type SubjectName, type SweepResult } from './model.js';

// Plain text in a file or a pipe, whatever the environment says of colours.
const pc = picocolors.createColors(isatty(1) && process.stdout.hasColors());

/** Columns of a terminal that the first three take, and one size. */
const NAME_COLUMNS = 43;
const SIZE_COLUMNS = 20;
const MIB = 1024 * 1024;
const CLAMPED_MARK = '*';

export function renderSweep(result: SweepResult, columns: number): string {
  const parts = [heading(result)];
  for (const subject of result.subjects) parts.push(...subjectTables(result, subject, columns));
  parts.push(legend(result), conclusions(result), settings(result.settings), notes(result));
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function heading({ host, versions, seconds, family, interrupted }: SweepResult): string {
  const over = family === 'unix' ? 'a UNIX socket' : 'TCP';
  const how = `${host.kernel}, Node ${versions.node}, nearwire ${versions.nearwire}, over ${over}`;
  return `${host.cpu}, ${String(host.cores)} cores, ${how}; ${formatSeconds(seconds)}${interrupted ? ', interrupted' : ''}`;
}

function newTable(head: readonly string[]): Table.Table {
  return new Table({
    head: [...head],
    style: { head: [], border: pc.isColorSupported ? ['dim'] : [], compact: true },
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
  });
}

/** As many tables as it takes to have all sizes within the width. */
function subjectTables(result: SweepResult, subject: SubjectName, columns: number): string[] {
  const cells = result.cells.filter((cell) => cell.subject === subject);
  const sizes = result.sizes.filter((size) => cells.some((cell) => cell.size === size));
  const atOnce = Math.max(1, Math.floor((columns - NAME_COLUMNS) / SIZE_COLUMNS));
  const tables: string[] = [];
  const title = SUBJECTS.find(({ name }) => name === subject)?.title ?? '';
  for (let first = 0; first < sizes.length; first += atOnce) {
    const shown = sizes.slice(first, first + atOnce);
    const table = newTable(['send buffer', 'in effect', '1,000 conns', ...shown.map(formatBytes)]);
    for (const buffer of result.buffers) {
      const row = shown.map((size) => cells.find((cell) => cell.size === size && cell.buffer === buffer));
      const known = row.filter((cell) => cell !== undefined);
      if (known.length === 0) continue;
      const mark = known.some(({ clamped }) => clamped) ? CLAMPED_MARK : '';
      table.push([
        `${nameOf(buffer)}${mark}`,
        rangeOf(known, ({ effective }) => effective),
        rangeOf(known, ({ memory }) => memory),
        ...row.map((cell) => (cell ? cellText(cell) : '')),
      ]);
    }
    tables.push(`${first === 0 ? `${pc.bold(subject)}  ${title}\n` : ''}${table.toString()}`);
  }
  return tables;
}

/** One size, or the smallest and the largest: what grows by itself has grown differently for different responses. */
function rangeOf(cells: readonly CellResult[], valueOf: (cell: CellResult) => number): string {
  const values = cells.map(valueOf);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? formatMemory(low) : `${formatMemory(low)} to\n${formatMemory(high)}`;
}

/** `416 KiB`, `1.95 GiB`. */
export function formatMemory(bytes: number): string {
  // Four digits are for the next unit.
  if (bytes >= 1000 * MIB) return `${digits(bytes / MIB / 1024)} GiB`;
  return bytes >= MIB ? `${digits(bytes / MIB)} MiB` : `${digits(bytes / 1024)} KiB`;
}

function cellText({ measures, relative, buffer }: CellResult): string {
  const rate = formatValue(measures.rate.median, measures.rate.unit);
  const against = relative && buffer !== 'default' ? ` ${colour(relative)(formatRatio(relative.median))}` : '';
  return `${rate}${against}\n${formatTime(measures.p50.median)}, ${formatTime(measures.p99.median)}`;
}

function colour({ low, high, rounds }: NonNullable<CellResult['relative']>): (text: string) => string {
  if (rounds < ROUNDS_TO_JUDGE || (low <= 1 && high >= 1)) return String;
  return low > 1 ? pc.green : pc.red;
}

/** Microseconds as `840us`, `6.12ms`. */
export function formatTime(microseconds: number): string {
  return microseconds < 1000 ? `${digits(microseconds)}us` : `${digits(microseconds / 1000)}ms`;
}

function legend({ cells, limits, platform }: SweepResult): string {
  const readsBack = platform === 'linux' ? 'reads back, which on Linux is twice what was set' : 'reads back';
  return pc.dim(
    [
      'in each cell: throughput, and the same against the default (the median of the rounds, taken within each of them);',
      'p50, p99 from a request to the last byte of its response. CPU, and how long a reader that is late holds the sender,',
      `stand in what --json and --html write. In effect: SO_SNDBUF as it ${readsBack};`,
      '1,000 conns: what the kernel may hold for as many',
      ...(cells.some(({ clamped }) => clamped)
        ? [
            `${CLAMPED_MARK} the system gave less than was asked for (${String(limits.mostBuffer)} is the most it takes)`,
          ]
        : []),
    ].join('\n'),
  );
}

function conclusions({ conclusions: all, sizes, subjects }: SweepResult): string {
  if (all.length === 0) return '';
  const table = newTable(['response', ...subjects]);
  const whole = newTable(['response', ...subjects]);
  for (const size of sizes) {
    const of = subjects.map((subject) => all.find((entry) => entry.subject === subject && entry.size === size));
    if (of.every((entry) => entry === undefined)) continue;
    table.push([
      formatBytes(size),
      ...of.map((entry) =>
        entry === undefined
          ? ''
          : entry.buffer === 'default'
            ? reasonWord(entry.reason)
            : pc.bold(nameOf(entry.buffer)),
      ),
    ]);
    whole.push([
      formatBytes(size),
      ...of.map((entry) => (entry === undefined ? '' : entry.whole === null ? 'none' : nameOf(entry.whole))),
    ]);
  }
  const reasons = all.filter(({ reason }) => reason === 'bend' || reason === 'noise');
  return [
    `${pc.bold('Which send buffer for which response')}: the smallest within the spread of the best, if all rounds agree\n${table.toString()}`,
    ...reasons.map(({ subject, size, text }) => `${subject} ${formatBytes(size)}: ${text}`),
    `\n${pc.bold('Which takes a response whole')}, so that a slow reader does not hold the sender\n${whole.toString()}`,
  ].join('\n');
}

function reasonWord(reason: string): string {
  return reason === 'few' ? 'too few rounds' : 'no change';
}

function settings(all: readonly Setting[]): string {
  if (all.length === 0) return '';
  const lines = all.flatMap(({ where, lines: own, note }) => [
    `  ${where.padEnd(9)}${note}${own.length > 0 ? ':' : ''}`,
    ...own.map((line) => `           ${pc.bold(line)}`),
  ]);
  return [pc.bold('To set it'), ...lines].join('\n');
}

function notes({ warnings, failures }: SweepResult): string {
  return [
    ...warnings.map((warning) => pc.yellow(`warning: ${warning}`)),
    ...failures.map((failure) => pc.red(`failed: ${failure}`)),
  ].join('\n');
}
