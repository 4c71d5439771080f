/** The README's tables of figures, from a result of the bench, or from one of each version of Node. */
import { formatBytes } from '../format.js';
import { withoutFiles, type JsonResult } from '../json.js';
import type { CellResult, Family, MeasureName, Params, RatioResult, SubjectName } from '../model.js';
import { ratioAt, type Spot } from '../report/cells.js';
import {
  describeRounds,
  describeRun,
  figureTable,
  isOf,
  nodeOf,
  valueText,
  type Column,
  type Excerpt,
  type Row,
} from './excerpt.js';
import { lossesOf, renderLosses } from './losses.js';
import { describeUnrest } from './quiet.js';

function row(title: string, name: string, measure: MeasureName, params: Params = {}): Row {
  return { title, case: name, measure, params };
}

/** What a reader with a server behind nginx asks first comes first. */
const ROWS: readonly Row[] = [
  row('a connection per request (node:http), server CPU a request', 'http-close', 'cpu'),
  row('the same, requests/s', 'http-close', 'rate'),
  row('node:http, 32 keep-alive connections, server CPU a request', 'http', 'cpu'),
  row('the same, requests/s', 'http', 'rate'),
  row('connect, 64 B exchange, close: server CPU', 'churn', 'cpu'),
  row('64 connections, 64 B messages: server CPU a message', 'fanin', 'cpu'),
  row('64 B messages, 256 outstanding', 'pipeline', 'rate'),
  row('64 B round trip, both ends on one core, p50', 'rtt', 'p50', { bytes: 64 }),
  row('one way, writes of 4 KiB', 'bulk', 'rate', { bytes: 4096 }),
  row('one way, writes of 64 KiB', 'bulk', 'rate', { bytes: 65536 }),
  row('one way, writes of 1 MiB', 'bulk', 'rate', { bytes: 1048576 }),
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
  row('the same, where one chunk of 64 is kept', 'retained', 'held', { every: 64 }),
  row('the same, where one chunk of 512 is kept', 'retained', 'held', { every: 512 }),
  row('4,096 connects in one tick: how many fail', 'storm', 'failed'),
];

function bodyRow(bytes: number, way: string): Row {
  const title = `node:http, ${formatBytes(bytes)} ${way}, server CPU a request`;
  return row(title, 'http-body', 'cpu', { bytes, way });
}

const TUNED: SubjectName = 'node:net tuned';
const FLOOR: SubjectName = 'c';
/** What is of Node, and differs by its version. */
const OF_NODE: readonly Column[] = ['node:net', 'native', 'channel'].map((subject) => ({
  ...{ title: subject, subject, textOf: withRatios },
}));
const SHOWN: readonly SubjectName[] = ['node:net', TUNED, 'native', 'channel', FLOOR];

export function excerptOf({ host, versions, command, started, cells, ratios }: JsonResult): Excerpt {
  const isShown = (entry: CellResult | RatioResult): boolean =>
    SHOWN.includes(entry.subject) && ROWS.some((row) => isOf(entry, row) || isOf(entry, row, 'tcp'));
  return {
    ...{ schema: 1, host, versions, command: withoutFiles(command), started },
    // The median is what is shown.
    cells: cells.filter(isShown).map((cell) => ({ ...cell, samples: [] })),
    // Those to plain C are not shown: a test looks whether it was the limit.
    ratios: ratios.filter(
      (ratio) => isShown(ratio) && ratio.subject !== FLOOR && (ratio.subject !== TUNED || ratio.baseline === FLOOR),
    ),
    losses: lossesOf(ratios),
  };
}

/** What stands between the markers: the tables, and on what and how they were measured. */
export function renderBlock(excerpts: readonly Excerpt[]): string {
  const [first] = excerpts;
  const table = tableOf(excerpts, 'unix');
  const overTcp = tableOf(excerpts, 'tcp');
  if (!first || table.length === 0 || excerpts.some(({ ratios }) => ratios.length === 0)) {
    throw new Error('the result has none of the cases that the README shows, against node:net');
  }
  const isTuned = excerpts.some(({ ratios }) => ratios.some(({ baseline }) => baseline === TUNED));
  return [
    ...table,
    '',
    `${describeRounds(excerpts)}; in brackets the ratio to`,
    `\`node:net\`, taken within each round, with the lowest and highest of the rounds${isTuned ? ', and the ratio to' : '.'}`,
    ...(isTuned
      ? ['`node:net tuned`, which corks its writes, reads into lent memory and knows where a file ends.']
      : []),
    ...describeRun(first),
    ...(excerpts.length > 1 ? ['', ...excerpts.map(describeVersion)] : []),
    ...describeUnrest(excerpts),
    ...(overTcp.length > 0 ? ['', ...overTcp] : []),
    ...(excerpts.some(({ losses }) => losses)
      ? ['', '### Where it gains nothing or loses', '', renderLosses(excerpts)]
      : []),
  ].join('\n');
}

/** Each was a run of its own: ratios are within one of them, and never across. */
function describeVersion({ versions, started, host, command }: Excerpt): string {
  const when = `${started.slice(0, 16).replace('T', ' ')} UTC, load ${String(host.load)} before the start`;
  return `- Node ${versions.node}: a run of its own, ${when}, \`${command}\``;
}

/** Columns of Node for each version, then plain C. Of a single version node:net tuned has one too, if it was run. */
function tableOf(excerpts: readonly Excerpt[], family: Family): string[] {
  const [first] = excerpts;
  if (!first) return [];
  const ofNode = excerpts.flatMap((of) => {
    const node = nodeOf(of, excerpts);
    return OF_NODE.map((column) => ({ ...column, title: node ? `${node}: ${column.title}` : column.title, of }));
  });
  const isTuned = first.cells.some((cell) => cell.subject === TUNED && cell.family === family);
  const tuned = { title: TUNED, subject: TUNED, textOf: withRatios, of: first };
  const columns = isTuned && excerpts.length === 1 ? ofNode.toSpliced(1, 0, tuned) : ofNode;
  const corner = family === 'tcp' ? 'over TCP' : 'over UNIX sockets';
  return figureTable(
    corner,
    ROWS,
    [...columns, { title: 'plain C', subject: FLOOR, textOf: withRatios, of: first }],
    family,
  );
}

function withRatios(excerpt: Excerpt, spot: Spot): string {
  const value = valueText(excerpt, spot);
  const [ratio, tuned] = ['node:net', TUNED].map((baseline) => ratioAt(excerpt, spot, baseline));
  // A ratio of none to some tells nothing.
  if (!ratio || ratio.value === 0 || value === '') return value;
  const more = tuned ? `; ${tuned.text} of tuned` : '';
  return `${value} (${ratio.spread.replace(' (', ', ').replace(')', '')}${more})`;
}
