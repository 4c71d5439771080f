/** The tables of docs/tuning-sweep.md, from a result of `nearwire tune --json`. */
import { formatBytes, formatValue } from '../format.js';
import { withoutFiles, type JsonResult } from '../json.js';
import { nameOf } from '../tune/conclude.js';
import { waysOf, type Findings } from '../tune/model.js';
import type { SweepJson } from '../tune/sweep.js';
import { bytesPerSecond, conclusionRows, figureOf, recommendation, takeRows, throughputOf } from '../tune/tables.js';
import { describeRun } from './figures.js';
import { markdownTable } from './markdown.js';

/** The responses whose figures are shown buffer by buffer. */
const SHOWN_BYTES = 1024 * 1024;

/** As much of a result as the tables need. */
export interface SweepExcerpt
  extends Omit<JsonResult, 'seconds'>, Pick<Findings, 'conclusions' | 'takes'>, Pick<SweepJson, 'warnings'> {}

export function isSweep(result: object): result is SweepJson {
  return 'conclusions' in result;
}

export function sweepExcerptOf(result: SweepJson): SweepExcerpt {
  const { host, versions, command, started, cells, conclusions, takes, warnings } = result;
  return {
    ...{ schema: 1, host, versions, command: withoutFiles(command), started, conclusions, takes, warnings },
    cells: cells.filter(({ params }) => params['bytes'] === SHOWN_BYTES),
    ratios: [],
  };
}

export function renderSweepBlock([excerpt]: readonly SweepExcerpt[]): string {
  if (!excerpt) return '';
  const rounds = Math.max(0, ...excerpt.cells.map(({ samples }) => samples.length));
  const table = ([head = [], ...rows]: ReturnType<typeof takeRows>): string[] => markdownTable(head, rows);
  return [
    'The buffer to set for throughput, and what it gives against the default:',
    '',
    ...table(conclusionRows(excerpt, recommendation)),
    '',
    'The largest response that leaves the server though nobody reads it:',
    '',
    ...table(takeRows(excerpt)),
    '',
    `Responses of ${formatBytes(SHOWN_BYTES)}, by buffer: throughput; CPU of the server for one.`,
    '',
    ...shownTable(excerpt),
    '',
    `Medians of ${String(rounds)} rounds; ratios are taken within each round, with the lowest and highest of the rounds.`,
    ...describeRun(excerpt),
    // What makes the figures less trustworthy goes where they go.
    ...excerpt.warnings.flatMap((warning) => ['', `Note: ${warning}.`]),
  ].join('\n');
}

function shownTable(excerpt: SweepExcerpt): string[] {
  const ways = waysOf(excerpt.takes);
  const buffers = ways[0] ? throughputOf(excerpt, ways[0]).rows.map(({ buffer }) => buffer) : [];
  const rows = buffers.map((buffer) => [
    nameOf(buffer),
    ...ways.map((way) => {
      const rate = figureOf(excerpt, way, SHOWN_BYTES, buffer);
      const cpu = figureOf(excerpt, way, SHOWN_BYTES, buffer, 'cpu');
      if (!rate || !cpu) return '';
      return `${formatValue(bytesPerSecond(rate), 'bytes/s')}; ${formatValue(cpu.cell.median, cpu.cell.unit)}`;
    }),
  ]);
  return markdownTable(['send buffer', ...ways.map(({ name }) => name)], rows);
}
