/** The README's tables of figures, from a result of the bench. */
import { formatBytes, formatRatio, formatSpread, formatValue } from '../format.js';
import { withoutFiles, type JsonResult } from '../json.js';
import type { CellResult, Family, MeasureName, Params, RatioResult, SubjectName } from '../model.js';
import { lossesOf, renderLosses } from './losses.js';
import { markdownTable } from './markdown.js';
import { describeUnrest } from './quiet.js';

export interface Row {
  readonly title: string;
  readonly case: string;
  readonly params?: Params;
  readonly measure: MeasureName;
}

/** What a reader with a server behind nginx asks first comes first. */
const ROWS: readonly Row[] = [
  { title: 'a connection per request (node:http), server CPU a request', case: 'http-close', measure: 'cpu' },
  { title: 'the same, requests/s', case: 'http-close', measure: 'rate' },
  { title: 'node:http, 32 keep-alive connections, server CPU a request', case: 'http', measure: 'cpu' },
  { title: 'the same, requests/s', case: 'http', measure: 'rate' },
  { title: 'connect, 64 B exchange, close: server CPU', case: 'churn', measure: 'cpu' },
  { title: '64 connections, 64 B messages: server CPU a message', case: 'fanin', measure: 'cpu' },
  { title: '64 B messages, 256 outstanding', case: 'pipeline', measure: 'rate' },
  { title: '64 B round trip, both ends on one core, p50', case: 'rtt', params: { bytes: 64 }, measure: 'p50' },
  { title: 'one way, writes of 4 KiB', case: 'bulk', params: { bytes: 4096 }, measure: 'rate' },
  { title: 'one way, writes of 64 KiB', case: 'bulk', params: { bytes: 65536 }, measure: 'rate' },
  { title: 'one way, writes of 1 MiB', case: 'bulk', params: { bytes: 1048576 }, measure: 'rate' },
  ...[65536, 1048576].flatMap((bytes): Row[] => [
    bodyRow(bytes, 'download'),
    {
      title: `the same, one Buffer of ${formatBytes(bytes)} again and again`,
      ...{ case: 'http-same', params: { bytes }, measure: 'cpu' },
    },
    bodyRow(bytes, 'upload'),
  ]),
  ...[65536, 1048576].flatMap((bytes): Row[] => [
    {
      title: `node:http, a file of ${formatBytes(bytes)} (sendFile), server CPU a request`,
      ...{ case: 'file', params: { bytes }, measure: 'cpu' },
    },
    { title: 'the same, requests/s', case: 'file', params: { bytes }, measure: 'rate' },
    {
      title: `node:http, a page of ${formatBytes(bytes)}, server CPU a request`,
      ...{ case: 'page', params: { bytes }, measure: 'cpu' },
    },
  ]),
  { title: 'relay between two connections, CPU of the relay a MiB', case: 'relay', measure: 'cpu' },
  { title: 'the same, bytes/s', case: 'relay', measure: 'rate' },
  { title: 'memory of an idle connection', case: 'idle', measure: 'memory' },
  { title: 'memory of a kept chunk of 100 B', case: 'retained', params: { chunks: 10_000 }, measure: 'held' },
  { title: 'the same, where one chunk of 64 is kept', case: 'retained', params: { every: 64 }, measure: 'held' },
  { title: 'the same, where one chunk of 512 is kept', case: 'retained', params: { every: 512 }, measure: 'held' },
  { title: '4,096 connects in one tick: how many fail', case: 'storm', measure: 'failed' },
];

function bodyRow(bytes: number, way: string): Row {
  const title = `node:http, ${formatBytes(bytes)} ${way}, server CPU a request`;
  return { title, case: 'http-body', params: { bytes, way }, measure: 'cpu' };
}

const BASELINE: SubjectName = 'node:net';
const TUNED: SubjectName = 'node:net tuned';
const COLUMNS: readonly { subject: SubjectName; title: string }[] = [
  { subject: BASELINE, title: 'node:net' },
  { subject: TUNED, title: 'node:net tuned' },
  { subject: 'native', title: 'native' },
  { subject: 'channel', title: 'channel' },
  { subject: 'c', title: 'plain C' },
];

/** As much of a result as the tables need: small enough to stand beside the README, for a test to hold them together. */
export interface Excerpt extends Omit<JsonResult, 'seconds'> {
  /** Of the whole run, whatever the tables show; absent of what was recorded before they were. */
  readonly losses?: readonly RatioResult[];
}

export function excerptOf({ host, versions, command, started, cells, ratios }: JsonResult): Excerpt {
  const isShown = (entry: CellResult | RatioResult): boolean =>
    COLUMNS.some(({ subject }) => subject === entry.subject) &&
    ROWS.some((row) => isOf(entry, row) || isOf(entry, row, 'tcp'));
  return {
    ...{ schema: 1, host, versions, command: withoutFiles(command), started },
    // The median is what is shown.
    cells: cells.filter(isShown).map((cell) => ({ ...cell, samples: [] })),
    // Those to plain C are not shown: a test looks whether it was the limit.
    ratios: ratios.filter(
      (ratio) => isShown(ratio) && ratio.subject !== 'c' && (ratio.subject !== TUNED || ratio.baseline === 'c'),
    ),
    losses: lossesOf(ratios),
  };
}

/** What stands between the markers: the tables, and on what and how they were measured. */
export function renderBlock(excerpt: Excerpt): string {
  const table = tableOf(excerpt, 'unix');
  const overTcp = tableOf(excerpt, 'tcp');
  const { losses } = excerpt;
  if (table.length === 0 || excerpt.ratios.length === 0) {
    throw new Error('the result has none of the cases that the README shows, against node:net');
  }
  const isTuned = excerpt.ratios.some(({ baseline }) => baseline === TUNED);
  return [
    ...table,
    '',
    `${describeRounds(excerpt)}; in brackets the ratio to`,
    `\`node:net\`, taken within each round, with the lowest and highest of the rounds${isTuned ? ', and the ratio to' : '.'}`,
    ...(isTuned
      ? ['`node:net tuned`, which corks its writes, reads into lent memory and knows where a file ends.']
      : []),
    ...describeRun(excerpt),
    ...describeUnrest(excerpt),
    ...(overTcp.length > 0 ? ['', ...overTcp] : []),
    ...(losses ? ['', '### Where it gains nothing or loses', '', renderLosses(losses)] : []),
  ].join('\n');
}

/** Without node:net tuned where it was not run; nothing where nobody was. */
function tableOf(excerpt: Excerpt, family: Family): string[] {
  const rows = ROWS.filter((row) => excerpt.cells.some((cell) => isOf(cell, row, family)));
  if (rows.length === 0) return [];
  const columns = COLUMNS.filter(
    ({ subject }) =>
      subject !== TUNED || excerpt.cells.some((cell) => cell.subject === TUNED && cell.family === family),
  );
  return markdownTable(
    [family === 'tcp' ? 'over TCP' : 'over UNIX sockets', ...columns.map(({ title }) => title)],
    rows.map((row) => [row.title, ...columns.map(({ subject }) => textOf(excerpt, row, subject, family))]),
  );
}

export function describeRounds({ ratios }: Excerpt): string {
  const rounds = ratios.map((ratio) => ratio.rounds);
  const [fewest, most] = [Math.min(...rounds), Math.max(...rounds)];
  return `Medians of ${fewest === most ? String(most) : `${String(fewest)} to ${String(most)}`} rounds`;
}

export function describeRun({
  started,
  host,
  versions,
  command,
}: Pick<Excerpt, 'started' | 'host' | 'versions' | 'command'>): string[] {
  return [
    `${started.slice(0, 10)}, ${host.cpu}, ${String(host.cores)} cores, ${host.kernel}, Node ${versions.node},`,
    `nearwire ${versions.nearwire} (${versions.commit}), \`${command}\`.`,
  ];
}

const END = '<!-- end -->';

/** What stands before a block that is made of this file of bench/results. */
export function markerOf(file: string): string {
  return `<!-- Made by npm run bench:readme from bench/results/${file}: begin -->`;
}

/** A page with another block between its markers. */
export function replaceBlock(page: string, block: string, file = 'readme.json'): string {
  const { start, end } = find(page, file);
  return `${page.slice(0, start)}\n\n${block}\n\n${page.slice(end)}`;
}

/** What stands between the markers now. */
export function blockOf(page: string, file = 'readme.json'): string {
  const { start, end } = find(page, file);
  return page.slice(start, end).trim();
}

function find(page: string, file: string): { start: number; end: number } {
  const marker = markerOf(file);
  const begin = page.indexOf(marker);
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`the page has no "${marker}" with "${END}" after it`);
  return { start: begin + marker.length, end };
}

export function isOf(entry: CellResult | RatioResult, row: Row, family: Family = 'unix'): boolean {
  return (
    entry.case === row.case &&
    entry.family === family &&
    entry.measure === row.measure &&
    Object.entries(row.params ?? {}).every(([name, value]) => entry.params[name] === value)
  );
}

/** The median, or nothing where the subject has none. */
export function valueOf({ cells }: Excerpt, row: Row, subject: SubjectName, family?: Family): string {
  const cell = cells.find((entry) => entry.subject === subject && isOf(entry, row, family));
  if (!cell) return '';
  // Where the load generator was the limit, the server could do more.
  return `${cell.limitedBy ? 'over ' : ''}${formatValue(cell.median, cell.unit)}`;
}

function textOf(excerpt: Excerpt, row: Row, subject: SubjectName, family: Family): string {
  const value = valueOf(excerpt, row, subject, family);
  const ratioTo = (baseline: SubjectName): RatioResult | undefined =>
    excerpt.ratios.find(
      (entry) => entry.subject === subject && entry.baseline === baseline && isOf(entry, row, family),
    );
  const [ratio, tuned] = [ratioTo(BASELINE), ratioTo(TUNED)];
  // A ratio of none to some tells nothing.
  if (!ratio || ratio.median === 0 || value === '') return value;
  const more = tuned ? `; ${formatRatio(tuned.median, tuned.bound)} of tuned` : '';
  return `${value} (${formatSpread(ratio).replace(' (', ', ').replace(')', '')}${more})`;
}
