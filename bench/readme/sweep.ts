/** The tables of docs/tuning.md, from a result of `nearwire tune --json`. */
import { formatBytes } from '../format.js';
import { withoutFiles, type JsonResult } from '../json.js';
import { nameOf } from '../tune/conclude.js';
import { distinct, waysOf, type Findings } from '../tune/model.js';
import type { SweepJson } from '../tune/sweep.js';
import { conclusionTable, figureOf, takeTable } from '../tune/tables.js';
import { describeRun } from './figures.js';
import { markdownTable } from './markdown.js';

/** The responses whose figures are shown for each buffer size. */
const SHOWN_BYTES = 1024 * 1024;

/** The part of a result that the tables need. */
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
  const table = (name: string, { head, rows }: ReturnType<typeof takeTable>): string[] => {
    const texts = rows.map((row) => [row.name, ...row.cells.map((text) => text.replaceAll('\n', ' '))]);
    return markdownTable([name, ...head], texts);
  };
  return [
    'The buffer to set for throughput, and what it gives against the default:',
    '',
    ...table('response', conclusionTable(excerpt)),
    '',
    'The largest response that leaves the server although it is not read:',
    '',
    ...table('send buffer', takeTable(excerpt)),
    '',
    `Responses of ${formatBytes(SHOWN_BYTES)}, by buffer: throughput; CPU of the server for one.`,
    '',
    ...shownTable(excerpt),
    '',
    `Medians of ${String(rounds)} rounds; ratios are taken within each round, with the lowest and highest of the rounds.`,
    ...describeRun(excerpt),
    // Warnings about the figures go with them.
    ...excerpt.warnings.flatMap((warning) => ['', `Note: ${warning}.`]),
  ].join('\n');
}

function shownTable(excerpt: SweepExcerpt): string[] {
  const ways = waysOf(excerpt.takes);
  const rows = distinct(excerpt.takes.map(({ buffer }) => buffer)).map((buffer) => [
    nameOf(buffer),
    ...ways.map((way) => {
      const figures = (['rate', 'cpu'] as const).flatMap(
        (measure) => figureOf(excerpt, way, SHOWN_BYTES, buffer, measure)?.text ?? [],
      );
      return figures.join('; ');
    }),
  ]);
  return markdownTable(['send buffer', ...ways.map(({ name }) => name)], rows);
}
