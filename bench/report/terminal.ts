/** The report on a terminal: its tables, and the few numbers that summarize it. */
import { isatty } from 'node:tty';

import Table from 'cli-table3';
import picocolors from 'picocolors';

import { broughtLines } from '../brought.js';
import { formatSeconds } from '../format.js';
import type { BenchResult } from '../model.js';
import { NODE_BASELINES, OURS } from '../statistics.js';
import { reportOf } from './build.js';
import type { Block, Cell, Report, Section } from './model.js';

// Plain text in a file or a pipe, whatever the environment says about colours.
export const pc = picocolors.createColors(isatty(1) && process.stdout.hasColors());
const VERDICT_COLOURS = { good: pc.green, bad: pc.red, '': String };

/** Columns that a table needs with value and ratio side by side: for the names of its rows, and for each figure. */
const WIDE_NAMES = 28;
const WIDE_FIGURE = 18;
const GENERATOR_MARK = '*';

export function renderReport(result: BenchResult, columns: number): string {
  const report = reportOf(result);
  const sections = report.sections.map((section) => sectionText(section, columns));
  const heading = [headingLine(result), ...broughtLines(result)].join('\n');
  const parts = [heading, ...sections, legend(result), summary(report), notes(result)];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

/** What was run, and where. */
export function headingLine({ host, versions, seconds, interrupted }: BenchResult): string {
  const rest = `${host.kernel}, Node ${versions.node}, nearwire ${versions.nearwire}`;
  return `${host.cpu}, ${String(host.cores)} cores, ${rest}; ${formatSeconds(seconds)}${interrupted ? ', interrupted' : ''}`;
}

/** A table of texts; the first of each row is its name. */
export function newTable(head: readonly string[]): Table.Table {
  return new Table({
    head: [...head],
    style: { head: [], border: pc.isColorSupported ? ['dim'] : [], compact: true },
    colAligns: head.map((_, at) => (at === 0 ? 'left' : 'right')),
  });
}

export function sectionText({ name, title, blocks }: Section, columns: number): string {
  return `${pc.bold(name)}  ${title}\n${blocks.map((block) => blockText(block, columns)).join('\n\n')}`;
}

function blockText({ title = '', head, rows, findings = [], note = '' }: Block, columns: number): string {
  const wide = columns >= WIDE_NAMES + head.length * WIDE_FIGURE;
  const drawn = newTable([title, ...head]);
  for (const { name, cells, muted } of rows.filter(({ detail }) => !detail)) {
    const texts = [name, ...cells.map((cell) => cellText(cell, wide))];
    drawn.push(muted ? texts.map((text) => pc.dim(text)) : texts);
  }
  return [drawn.toString(), ...findings, pc.dim(note)].filter(Boolean).join('\n');
}

function cellText(cell: Cell | string, wide: boolean): string {
  if (typeof cell === 'string') return cell;
  const { text, limited, ratio } = cell;
  const value = text + (limited ? GENERATOR_MARK : '');
  return ratio ? `${value}${wide ? '  ' : '\n'}${VERDICT_COLOURS[ratio.verdict](ratio.text.padStart(5))}` : value;
}

function legend({ cells, ratios }: BenchResult): string {
  const lines: string[] = [];
  if (ratios.some(({ baseline }) => baseline === 'node:net')) {
    lines.push(
      'x: against node:net, taken within each round, then the median; ' +
        `${pc.green('green')} and ${pc.red('red')} where all rounds agree on better or worse`,
    );
  }
  if (cells.some(({ limitedBy }) => limitedBy !== undefined)) {
    lines.push(
      `${GENERATOR_MARK} the load generator was at its limit and the server was not: ` +
        'this says nothing about the server, but its cpu is valid',
    );
  }
  return lines.join('\n');
}

/** The headlines of each of nearwire's subjects in one line. */
function summary({ headlines }: Report): string {
  const lines = OURS.flatMap((subject) =>
    NODE_BASELINES.map((baseline) => {
      const words = headlines.flatMap(({ case: name, params, measure, ratios }) =>
        ratios
          .filter((ratio) => ratio.subject === subject && ratio.baseline === baseline)
          .map(({ text }) => `${name} (${params}) ${measure.name} ${text}`),
      );
      return words.length > 0 ? `${pc.bold(subject)} against ${baseline} over UNIX: ${words.join(', ')}` : '';
    }),
  );
  return lines.filter(Boolean).join('\n');
}

export function notes({ warnings, failures }: BenchResult): string {
  return [
    ...warnings.map((warning) => pc.yellow(`warning: ${warning}`)),
    ...failures.map((failure) => pc.red(`failed: ${failure}`)),
  ].join('\n');
}
