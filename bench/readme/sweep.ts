/** The tables of docs/tuning-sweep.md, from a result of `nearwire tune --json`. */
import { formatBytes, formatSpread, formatValue } from '../format.js';
import { withoutFiles } from '../json.js';
import { nameOf } from '../tune/conclude.js';
import type { SweepJson } from '../tune/json.js';
import type { CellResult, Conclusion, MeasureName, SubjectName } from '../tune/model.js';
import { formatMemory } from '../tune/report.js';
import { describeRun } from './excerpt.js';
import { markdownTable } from './markdown.js';

/** Of bench/results, from which the tables are made. */
export const SWEEP_FILE = 'tuning-sweep.json';

/** The responses whose figures are shown buffer by buffer. */
const SHOWN_SIZE = 1024 * 1024;

interface ShownCell extends Pick<CellResult, 'subject' | 'size' | 'buffer' | 'effective' | 'clamped' | 'memory'> {
  readonly medians: Readonly<Record<MeasureName, number>>;
}

/** As much of a result as the tables need. */
export interface SweepExcerpt extends Omit<
  SweepJson,
  'cells' | 'settings' | 'skipped' | 'failures' | 'interrupted' | 'seconds' | 'limits'
> {
  readonly cells: readonly ShownCell[];
}

export function isSweep(result: object): result is SweepJson {
  return 'conclusions' in result;
}

export function sweepExcerptOf(result: SweepJson): SweepExcerpt {
  const { schema, host, versions, command, started, family, platform, subjects, sizes, buffers, rounds } = result;
  return {
    ...{ schema, host, versions, command: withoutFiles(command), started, family, platform },
    ...{ subjects, sizes, buffers, rounds, conclusions: result.conclusions, warnings: result.warnings },
    cells: result.cells
      .filter(({ size }) => size === SHOWN_SIZE)
      .map(({ subject, size, buffer, effective, clamped, memory, measures }) => ({
        ...{ subject, size, buffer, effective, clamped, memory },
        medians: {
          rate: measures.rate.median,
          p50: measures.p50.median,
          p99: measures.p99.median,
          cpu: measures.cpu.median,
          held: measures.held.median,
        },
      })),
  };
}

export function renderSweepBlock(excerpt: SweepExcerpt): string {
  const { rounds, subjects } = excerpt;
  return [
    'The buffer to set for throughput, and what it gives against the default:',
    '',
    ...bySize(excerpt, recommendation),
    '',
    'The first that takes a response whole, so that a slow reader does not hold the sender:',
    '',
    ...bySize(excerpt, ({ whole }) => (whole === null ? 'none' : nameOf(whole))),
    '',
    `Responses of ${formatBytes(SHOWN_SIZE)}, by buffer: throughput; p50 of one at a time; CPU of the sender for it.`,
    '',
    ...markdownTable(
      ['send buffer', 'in effect', '1,000 connections', ...subjects],
      excerpt.buffers.map((buffer) => bufferRow(excerpt, buffer)),
    ),
    '',
    `Medians of ${String(rounds)} rounds; ratios are taken within each round, with the lowest and highest of the rounds.`,
    ...describeRun(excerpt),
    // What makes the figures less trustworthy goes where they go.
    ...excerpt.warnings.flatMap((warning) => ['', `Note: ${warning}.`]),
  ].join('\n');
}

function bySize({ sizes, subjects, conclusions }: SweepExcerpt, textOf: (of: Conclusion) => string): string[] {
  const cellOf = (size: number, subject: SubjectName): string => {
    const found = conclusions.find((entry) => entry.size === size && entry.subject === subject);
    return found ? textOf(found) : '';
  };
  return markdownTable(
    ['response', ...subjects],
    sizes.map((size) => [formatBytes(size), ...subjects.map((subject) => cellOf(size, subject))]),
  );
}

function recommendation({ buffer, reason, gain, best }: Conclusion): string {
  if (buffer !== 'default') return `**${nameOf(buffer)}**: ${formatSpread(gain)}`;
  if (reason === 'few') return 'too few rounds';
  return best.buffer === 'default' ? 'no change' : `no change: best ${formatSpread(best.gain)}`;
}

function bufferRow({ cells, subjects }: SweepExcerpt, buffer: CellResult['buffer']): string[] {
  const row = cells.filter((cell) => cell.buffer === buffer);
  const range = (values: readonly number[]): string => {
    if (values.length === 0) return '';
    const [low, high] = [Math.min(...values), Math.max(...values)].map(formatMemory);
    return low === high ? (low ?? '') : `${low ?? ''} to ${high ?? ''}`;
  };
  return [
    `${nameOf(buffer)}${row.some(({ clamped }) => clamped) ? ' (cut)' : ''}`,
    range(row.map(({ effective }) => effective)),
    range(row.map(({ memory }) => memory)),
    ...subjects.map((subject) => {
      const medians = row.find((cell) => cell.subject === subject)?.medians;
      if (!medians) return '';
      return [
        formatValue(medians.rate, 'bytes/s'),
        formatValue(medians.p50, 'us'),
        formatValue(medians.cpu, 'us'),
      ].join('; ');
    }),
  ];
}
