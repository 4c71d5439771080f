/**
 * The table of docs/zero-copy.md: what it is worth to pass references, against node:net and against plain C that does so too,
 * by sizes.
 */
import { formatBytes } from '../format.js';
import { withoutFiles, type JsonResult } from '../json.js';
import type { CellResult, RatioResult, SubjectName } from '../model.js';
import {
  describeRounds,
  describeRun,
  figureTable,
  isOf,
  ratioTextTo,
  valueText,
  type Column,
  type Excerpt,
  type Row,
} from './excerpt.js';

/** Of bench/results, from which the table is made. */
export const REFERENCES_FILE = 'zero-copy.json';

const CASES = ['file', 'page', 'relay'];
const SIZES = [65536, 1048576];
const BASELINES: readonly SubjectName[] = ['node:net', 'c'];

const COLUMNS: readonly Column[] = [
  { title: 'node:net', subject: 'node:net', textOf: valueText },
  { title: 'native', subject: 'native', textOf: valueText },
  { title: 'to node:net', subject: 'native', textOf: ratioTextTo('node:net') },
  { title: 'plain C', subject: 'c', textOf: valueText },
  { title: 'native to it', subject: 'native', textOf: ratioTextTo('c') },
  { title: 'plain C that copies', subject: 'c-send', textOf: valueText },
  { title: 'nginx', subject: 'nginx', textOf: valueText },
];

const ROWS: readonly Row[] = CASES.flatMap((name) =>
  SIZES.flatMap((bytes) =>
    (['cpu', 'rate'] as const).map((measure): Row => ({
      title: `${name}, ${formatBytes(bytes)}: ${measure === 'rate' ? 'rate' : `CPU a ${name === 'relay' ? 'MiB' : 'request'}`}`,
      case: name,
      params: { bytes },
      measure,
    })),
  ),
);

/** What the table needs of a result; nothing of one without these cases on native. */
export function referencesOf({ host, versions, command, started, cells, ratios }: JsonResult): Excerpt | undefined {
  const isShown = (entry: CellResult | RatioResult): boolean =>
    COLUMNS.some(({ subject }) => subject === entry.subject) && ROWS.some((row) => isOf(entry, row));
  const shown = ratios.filter((ratio) => ratio.subject === 'native' && isShown(ratio));
  if (!BASELINES.every((name) => shown.some(({ baseline }) => baseline === name))) return undefined;
  return {
    ...{ schema: 1, host, versions, command: withoutFiles(command), started },
    cells: cells.filter(isShown).map((cell) => ({ ...cell, samples: [] })),
    ratios: shown,
  };
}

export function renderReferences(excerpt: Excerpt): string {
  const columns = COLUMNS.map((column) => ({ ...column, of: excerpt }));
  return [
    ...figureTable('over UNIX sockets', ROWS, columns),
    '',
    `${describeRounds([excerpt])}; ratios are taken within each round, with the lowest and highest of the`,
    'rounds. Of a rate that the load generator held back, "over" is all that can be said.',
    ...describeRun(excerpt),
  ].join('\n');
}
