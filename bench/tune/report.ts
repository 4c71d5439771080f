/** The sweep on a terminal: its conclusions, the lines that apply them, and the throughput behind them. */
import { headingLine, notes, pc, sectionText } from '../report/terminal.js';
import type { Setting, SweepResult } from './model.js';
import { sectionsOf } from './tables.js';

const NOTE = `Throughput on 8 connections, and its ratio to the default: the median of the rounds, taken within each of them; *: the
reader was at its limit and the server was not. CPU, latencies and all samples are in the files of --json and --html.`;

export function renderSweep(result: SweepResult, columns: number): string {
  const { found, throughput } = sectionsOf(result);
  const [first, last] = [found, throughput].map((sections) =>
    sections
      .filter(({ blocks }) => blocks.some(({ head }) => head.length > 0))
      .map((section) => sectionText(section, columns))
      .join('\n\n'),
  );
  const parts = [headingLine(result), first, settings(result.settings), last, pc.dim(NOTE), notes(result)];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function settings(all: readonly Setting[]): string {
  const lines = all.flatMap(({ where, lines: own, note }) => [
    `  ${where.padEnd(9)}${note}${own.length > 0 ? ':' : ''}`,
    ...own.map((line) => `           ${pc.bold(line)}`),
  ]);
  return lines.length === 0 ? '' : [pc.bold('To set it'), ...lines].join('\n');
}
