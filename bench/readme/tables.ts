/**
 * The README's tables, from a result of the bench or from one for each version of Node, and those of docs/zero-copy.md.
 */
import { formatBytes, formatRatio, formatSpread } from '../format.js';
import type { JsonResult } from '../json.js';
import type { CellResult, MeasureName, Params, RatioResult, SubjectName } from '../model.js';
import {
  describeRounds,
  describeRun,
  excerptOf,
  figureTable,
  nodeOf,
  ratioTextTo,
  valueText,
  type Column,
  type Excerpt,
  type Row,
} from './figures.js';
import { beyondLimit, lossesOf } from './losses.js';
import { describeUnrest } from './quiet.js';

function row(title: string, name: string, measure: MeasureName, params: Params = {}): Row {
  return { title, case: name, measure, params };
}

/** The rows that matter most for a server behind nginx come first. */
const ROWS: readonly Row[] = [
  row('a connection per request (node:http), server CPU a request', 'http-close', 'cpu'),
  row('the same, requests/s', 'http-close', 'rate'),
  row('node:http, 32 keep-alive connections, server CPU a request', 'http', 'cpu'),
  row('the same, requests/s', 'http', 'rate'),
  row('connect, 64 B exchange, close: server CPU', 'churn', 'cpu'),
  row('64 connections, 64 B messages: server CPU a message', 'fanin', 'cpu'),
  row('64 B messages, 256 outstanding', 'pipeline', 'rate'),
  row('64 B round trip, both ends on one core, p50', 'rtt', 'p50', { bytes: 64 }),
  ...[4096, 65536, 1048576].map((bytes) => row(`one way, writes of ${formatBytes(bytes)}`, 'bulk', 'rate', { bytes })),
  ...[65536, 1048576].flatMap((bytes) => [
    bodyRow(bytes, 'download'),
    row(`the same, one Buffer of ${formatBytes(bytes)} again and again`, 'http-same', 'cpu', { bytes }),
    bodyRow(bytes, 'upload'),
  ]),
  ...[65536, 1048576].flatMap((bytes) => [
    row(`node:http, a file of ${formatBytes(bytes)} (sendFile), server CPU a request`, 'file', 'cpu', { bytes }),
    row('the same, requests/s', 'file', 'rate', { bytes }),
    row(`node:http, a page of ${formatBytes(bytes)}, server CPU a request`, 'page', 'cpu', { bytes }),
  ]),
  row('relay between two connections, CPU of the relay a MiB', 'relay', 'cpu'),
  row('the same, bytes/s', 'relay', 'rate'),
  row('memory of an idle connection', 'idle', 'memory'),
  row('memory of a kept chunk of 100 B', 'retained', 'held', { chunks: 10_000 }),
  ...[64, 512].map((every) =>
    row(`the same, where one chunk of ${String(every)} is kept`, 'retained', 'held', { every }),
  ),
  row('4,096 connects in one tick: how many fail', 'storm', 'failed'),
];

function bodyRow(bytes: number, way: string): Row {
  const title = `node:http, ${formatBytes(bytes)} ${way}, server CPU a request`;
  return row(title, 'http-body', 'cpu', { bytes, way });
}

const TUNED: SubjectName = 'node:net tuned';

/** Columns for each version of Node. */
const OF_NODE: readonly Column[] = [
  { title: 'node:net', subject: 'node:net', textOf: valueText },
  { title: TUNED, subject: TUNED, textOf: valueText },
  ...['native', 'channel'].map((subject) => ({ title: subject, subject, textOf: withRatios })),
];
const FLOOR = { title: 'plain C', subject: 'c' } as const;

/** If native beats plain C in all rounds, the host can do more, and plain C is not its limit. */
function floorText(cell: CellResult | undefined, { ratios }: Excerpt): string {
  if (cell === undefined) return '';
  const isBeaten = ratios.some((ratio) => isAt(ratio, cell) && beyondLimit([ratio]).length > 0);
  return `${isBeaten && cell.limitedBy === undefined ? 'over ' : ''}${valueText(cell)}`;
}

function isAt(ratio: RatioResult, cell: CellResult): boolean {
  const placeOf = ({ case: name, params, family, measure }: RatioResult | CellResult): string =>
    JSON.stringify([name, params, family, measure]);
  return placeOf(ratio) === placeOf(cell);
}

export function recordOf(result: JsonResult): Excerpt {
  const subjects = [...OF_NODE, FLOOR].map(({ subject }) => subject);
  return { ...excerptOf(result, ROWS, subjects), losses: lossesOf(result.ratios) };
}

/** The text between the markers: the tables, and the conditions of the measurement. */
export function renderBlock(excerpts: readonly Excerpt[]): string {
  const [first] = excerpts;
  const table = tableOf(excerpts, 'unix');
  const overTcp = tableOf(excerpts, 'tcp');
  if (!first || table.length === 0 || excerpts.some(({ ratios }) => ratios.length === 0)) {
    throw new Error('the result has none of the cases that the README shows, against node:net');
  }
  const isTuned = excerpts.some(({ cells }) => cells.some(({ subject }) => subject === TUNED));
  return [
    ...table,
    '',
    `${describeRounds(excerpts)}; in brackets the ratio to`,
    '`node:net`, taken within each round, with the lowest and highest of the rounds.',
    ...(/\| over [^|]*\|$/m.test([...table, ...overTcp].join('\n'))
      ? ['"over" before a figure of plain C: nearwire was beyond it in all rounds, so the host can do more.']
      : []),
    ...(isTuned ? ['`node:net tuned` corks its writes, reads into lent memory and knows where a file ends.'] : []),
    ...describeRun(first),
    ...(excerpts.length > 1 ? ['', ...excerpts.map(describeVersion)] : []),
    ...describeUnrest(excerpts),
    ...(overTcp.length > 0 ? ['', ...overTcp] : []),
  ].join('\n');
}

/** Each version was a separate run: ratios are within one run, and never across. */
function describeVersion({ versions, started, host, command }: Excerpt): string {
  const when = `${started.slice(0, 16).replace('T', ' ')} UTC, load ${String(host.load)} before the start`;
  return `- Node ${versions.node}: a run of its own, ${when}, \`${command}\``;
}

/**
 * Node's columns for each version, then plain C of the first. With several versions there is no column for node:net
 * tuned; native's ratio to it is added to native's cells.
 */
function tableOf(excerpts: readonly Excerpt[], family: 'unix' | 'tcp'): string[] {
  const columns = OF_NODE.filter(({ subject }) => excerpts.length === 1 || subject !== TUNED);
  const ofNode = excerpts.flatMap((of) => {
    const node = nodeOf(of, excerpts);
    return columns.map((column) => ({ ...column, title: [node, column.title].filter(Boolean).join(': '), of }));
  });
  const floor = excerpts
    .slice(0, 1)
    .map((of) => ({ ...FLOOR, of, textOf: (cell?: CellResult) => floorText(cell, of) }));
  return figureTable(ROWS, [...ofNode, ...floor], family);
}

function withRatios(...[cell, ratioTo]: Parameters<Column['textOf']>): string {
  const [ratio, tuned] = [ratioTo('node:net'), ratioTo(TUNED)];
  // A ratio of zero to something says nothing.
  if (!cell || !ratio || ratio.median === 0) return valueText(cell);
  const more = tuned ? `; ${formatRatio(tuned.median, tuned.bound)} of tuned` : '';
  return `${valueText(cell)} (${formatSpread(ratio).replace(' (', ', ').replace(')', '')}${more})`;
}

/** For docs/zero-copy.md: the gain of passing references, against node:net and against plain C that does so too. */
const REFERENCE_COLUMNS: readonly Column[] = [
  { title: 'node:net', subject: 'node:net', textOf: valueText },
  { title: 'native', subject: 'native', textOf: valueText },
  { title: 'to node:net', subject: 'native', textOf: ratioTextTo('node:net') },
  { title: 'plain C', subject: 'c', textOf: valueText },
  { title: 'native to it', subject: 'native', textOf: ratioTextTo('c') },
  { title: 'plain C that copies', subject: 'c-send', textOf: valueText },
  { title: 'nginx', subject: 'nginx', textOf: valueText },
];

const REFERENCE_ROWS: readonly Row[] = ['file', 'page', 'relay'].flatMap((name) =>
  [65536, 1048576].flatMap((bytes) => [
    row(`${name}, ${formatBytes(bytes)}: CPU a ${name === 'relay' ? 'MiB' : 'request'}`, name, 'cpu', { bytes }),
    row(`${name}, ${formatBytes(bytes)}: rate`, name, 'rate', { bytes }),
  ]),
);

/** Undefined if the result lacks these cases on native, against both node:net and plain C. */
export function referencesOf(result: JsonResult): Excerpt | undefined {
  const subjects = REFERENCE_COLUMNS.map(({ subject }) => subject);
  const excerpt = excerptOf(result, REFERENCE_ROWS, subjects);
  const baselines = excerpt.ratios.filter(({ subject }) => subject === 'native').map(({ baseline }) => baseline);
  return ['node:net', 'c'].every((name) => baselines.includes(name)) ? excerpt : undefined;
}

/** A table for each version of Node. */
export function renderReferences(excerpts: readonly Excerpt[]): string {
  return excerpts.map(renderReference).join('\n\n');
}

function renderReference(excerpt: Excerpt): string {
  return [
    ...figureTable(
      REFERENCE_ROWS,
      REFERENCE_COLUMNS.map((column) => ({ ...column, of: excerpt })),
    ),
    '',
    `${describeRounds([excerpt])}; ratios are taken within each round, with the lowest and highest of the`,
    'rounds. Of a rate that the load generator held back, "over" is all that can be said.',
    ...describeRun(excerpt),
  ].join('\n');
}
