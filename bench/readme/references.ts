/**
 * The table of docs/zero-copy.md: what it is worth to pass references, against node:net and against plain C that does so too,
 * by sizes.
 */
import { formatBytes } from '../format.js';
import type { JsonResult } from '../json.js';
import {
  describeRounds,
  describeRun,
  excerptOf,
  figureTable,
  ratioTextTo,
  valueText,
  type Column,
  type Excerpt,
  type Row,
} from './figures.js';

const COLUMNS: readonly Column[] = [
  { title: 'node:net', subject: 'node:net', textOf: valueText },
  { title: 'native', subject: 'native', textOf: valueText },
  { title: 'to node:net', subject: 'native', textOf: ratioTextTo('node:net') },
  { title: 'plain C', subject: 'c', textOf: valueText },
  { title: 'native to it', subject: 'native', textOf: ratioTextTo('c') },
  { title: 'plain C that copies', subject: 'c-send', textOf: valueText },
  { title: 'nginx', subject: 'nginx', textOf: valueText },
];

const ROWS: readonly Row[] = ['file', 'page', 'relay'].flatMap((name) =>
  [65536, 1048576].flatMap((bytes) => {
    const title = `${name}, ${formatBytes(bytes)}`;
    const row = { case: name, params: { bytes } };
    return [
      { ...row, title: `${title}: CPU a ${name === 'relay' ? 'MiB' : 'request'}`, measure: 'cpu' as const },
      { ...row, title: `${title}: rate`, measure: 'rate' as const },
    ];
  }),
);

/** Nothing of a result without these cases on native, against both node:net and plain C. */
export function referencesOf(result: JsonResult): Excerpt | undefined {
  const subjects = COLUMNS.map(({ subject }) => subject);
  const excerpt = excerptOf(result, ROWS, subjects);
  const baselines = excerpt.ratios.filter(({ subject }) => subject === 'native').map(({ baseline }) => baseline);
  return ['node:net', 'c'].every((name) => baselines.includes(name)) ? excerpt : undefined;
}

export function renderReferences([excerpt]: readonly Excerpt[]): string {
  if (!excerpt) return '';
  return [
    ...figureTable(
      ROWS,
      COLUMNS.map((column) => ({ ...column, of: excerpt })),
    ),
    '',
    `${describeRounds([excerpt])}; ratios are taken within each round, with the lowest and highest of the`,
    'rounds. Of a rate that the load generator held back, "over" is all that can be said.',
    ...describeRun(excerpt),
  ].join('\n');
}
