/**
 * The table of docs/zero-copy.md: what it is worth to pass references, against node:net and against plain C that does so too,
 * by sizes.
 */
import { formatBytes, formatSpread } from '../format.js';
import { withoutFiles, type JsonResult } from '../json.js';
import type { CellResult, RatioResult, SubjectName } from '../model.js';
import { markdownTable } from './markdown.js';
import { describeRounds, describeRun, isOf, valueOf, type Excerpt, type Row } from './table.js';

/** Of bench/results, from which the table is made. */
export const REFERENCES_FILE = 'zero-copy.json';

const CASES = ['file', 'page', 'relay'];
const SIZES = [65536, 1048576];
const BASELINES: readonly SubjectName[] = ['node:net', 'c'];

interface Column {
  readonly title: string;
  readonly subject: SubjectName;
  /** The ratio to it, instead of the value. */
  readonly to?: SubjectName;
}

const COLUMNS: readonly Column[] = [
  { title: 'node:net', subject: 'node:net' },
  { title: 'native', subject: 'native' },
  { title: 'to node:net', subject: 'native', to: 'node:net' },
  { title: 'plain C', subject: 'c' },
  { title: 'native to it', subject: 'native', to: 'c' },
  { title: 'plain C that copies', subject: 'c-send' },
  { title: 'nginx', subject: 'nginx' },
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
  const rows = ROWS.filter((row) => excerpt.cells.some((cell) => isOf(cell, row)));
  const head = ['over UNIX sockets', ...COLUMNS.map(({ title }) => title)];
  const body = rows.map((row) => [row.title, ...COLUMNS.map((column) => textOf(excerpt, row, column))]);
  return [
    ...markdownTable(head, body),
    '',
    `${describeRounds(excerpt)}; ratios are taken within each round, with the lowest and highest of the`,
    'rounds. Of a rate that the load generator held back, "over" is all that can be said.',
    ...describeRun(excerpt),
  ].join('\n');
}

function textOf(excerpt: Excerpt, row: Row, { subject, to }: Column): string {
  if (to === undefined) return valueOf(excerpt, row, subject);
  const ratio = excerpt.ratios.find((entry) => entry.baseline === to && entry.subject === subject && isOf(entry, row));
  return ratio ? formatSpread(ratio) : '';
}
