/** The report on a terminal: one table a case, and the few numbers that sum it up. */
import { isatty } from 'node:tty';

import Table from 'cli-table3';
import picocolors from 'picocolors';

import { broughtLines } from './brought.js';
import { GROWTH_BASE } from './cases/growth.js';
import { CASES } from './cases/index.js';
import { load as loadCase } from './cases/load.js';
import {
  describeParams,
  describeSeries,
  digits,
  formatRatio,
  formatSeconds,
  formatSpread,
  formatValue,
} from './format.js';
import { describePoint, growthOf } from './growth.js';
import { loadCoursesOf, loadHeadlines, SHOWN, type LoadPoint } from './load-report.js';
import type { BenchCase, BenchResult, Measure, Series, SeriesResult, SubjectName } from './model.js';
import { cellOf, headlinesOf, judge, medianShare, NODE_BASELINES, ratioOf } from './statistics.js';

// Plain text in a file or a pipe, whatever the environment says of colours.
export const pc = picocolors.createColors(isatty(1) && process.stdout.hasColors());

/** Columns that a table takes with value and ratio side by side: the names of its rows, and each subject. */
const WIDE_NAMES = 28;
const WIDE_SUBJECT = 18;
export const GENERATOR_MARK = '*';

export function renderReport(result: BenchResult, columns: number): string {
  const parts = [[headingLine(result), ...broughtLines(result)].join('\n')];
  for (const benchCase of CASES) {
    const results = result.results.filter(({ series, samples }) => series.case === benchCase && samples.length > 0);
    if (results.length === 0) continue;
    parts.push(benchCase === loadCase ? loadTables(result) : caseTable(benchCase, results, result, columns));
  }
  parts.push(growthTable(result), legend(result), summary(result), notes(result));
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

/** A table of texts, the first of each row being its name. */
export function newTable(head: readonly string[]): Table.Table {
  return new Table({
    head: [...head],
    style: { head: [], border: pc.isColorSupported ? ['dim'] : [], compact: true },
    colAligns: head.map((_, at) => (at === 0 ? 'left' : 'right')),
  });
}

/** What was run on what. */
export function headingLine({ host, versions, seconds, interrupted }: BenchResult): string {
  const rest = `${host.kernel}, Node ${versions.node}, nearwire ${versions.nearwire}`;
  return `${host.cpu}, ${String(host.cores)} cores, ${rest}; ${formatSeconds(seconds)}${interrupted ? ', interrupted' : ''}`;
}

function caseTable(
  benchCase: BenchCase,
  results: readonly SeriesResult[],
  result: BenchResult,
  columns: number,
): string {
  const subjects = result.lineup
    .map(({ name }) => name)
    .filter((name) => results.some(({ samples }) => samples.some(({ subject }) => subject === name)));
  const wide = columns >= WIDE_NAMES + subjects.length * WIDE_SUBJECT;
  const table = newTable(['', ...subjects]);
  const paramsVary = new Set(results.map(({ series }) => describeParams(series.params))).size > 1;
  for (const seriesResult of results) {
    const { series } = seriesResult;
    const label = describeSeries(series.params, series.family, paramsVary);
    for (const measure of benchCase.measures) {
      const name = `${label} ${measure.name}`.trim();
      table.push([name, ...subjects.map((subject) => valueText(result, series, measure, subject, wide))]);
    }
    const shares = subjects.map((subject) => shareText(seriesResult, subject));
    if (seriesResult.offered !== undefined) table.push(offeredRow(label, seriesResult.offered, subjects.length));
    const margins = subjects.map((subject) => marginText(result, series, subject));
    if (margins.some(Boolean)) table.push([pc.dim(`${label} margin`.trim()), ...margins.map((text) => pc.dim(text))]);
    if (shares.some(Boolean)) table.push([pc.dim(`${label} client CPU`.trim()), ...shares.map((text) => pc.dim(text))]);
  }
  const { measures } = benchCase;
  const meanings = measures.map(({ name, meaning, better }) => `${name}: ${meaning}, ${better} is better`).join('; ');
  return `${pc.bold(benchCase.name)}  ${benchCase.title}\n${table.toString()}\n${pc.dim(meanings)}`;
}

/** A row a load; of each subject the latencies and the CPU, and below them the ratios. */
function loadTables(result: BenchResult): string {
  const percentiles = SHOWN.map(({ title }) => title).join(' / ');
  const tables = loadCoursesOf(result).map((course) => {
    const table = newTable([
      `${course.family} ${course.handler}`,
      ...course.subjects.flatMap((subject) => [`${subject} ${percentiles}`, 'CPU']),
    ]);
    for (const { load, offered, points } of course.rows) {
      const cells = course.subjects.flatMap((name) => {
        const point = points.find(({ subject }) => subject === name);
        return point ? loadCells(point) : ['', ''];
      });
      table.push([`${String(load)} %\n${formatValue(offered, 'requests/s')}`, ...cells]);
    }
    return [table.toString(), ...loadHeadlines(course)].join('\n');
  });
  const how =
    "latencies in us of all rounds' requests, from when each was due, told where ten are beyond; CPU: of the server, us a " +
    "request; below them the ratios to node:net's at the same load";
  return `${pc.bold(loadCase.name)}  ${loadCase.title}\n${tables.join('\n\n')}\n${pc.dim(how)}`;
}

function loadCells({ latency, ratios, cpu, cpuRatio }: LoadPoint): string[] {
  const values = SHOWN.map(({ name }) => latency.percentiles[name]);
  const told = values.map((value) => (value === undefined ? '-' : digits(value))).join(' / ');
  const against = ratios.map((ratio) => (ratio ? formatRatio(ratio.value) : '-')).join(' / ');
  return [
    ratios.some(Boolean) ? `${told}\n${against}` : told,
    [cpu ? digits(cpu.median) : '', cpuRatio ? formatRatio(cpuRatio.median) : ''].filter(Boolean).join('\n'),
  ];
}

/** The same for all subjects. */
function offeredRow(label: string, offered: number, subjects: number): string[] {
  const row = [`${label} requests due`, ...Array.from({ length: subjects }, () => formatValue(offered, 'requests/s'))];
  return row.map((text) => pc.dim(text));
}

function growthTable(result: BenchResult): string {
  const growth = growthOf(result);
  if (!growth) return '';
  const table = newTable(['', ...growth.subjects]);
  for (const { point, figure, ratios } of growth.rows) {
    table.push([`${describePoint(point)} ${figure}`, ...ratios.map((ratio) => (ratio ? formatSpread(ratio) : ''))]);
  }
  return `${pc.bold('growth')}  against ${String(GROWTH_BASE)} connections, within each round\n${table.toString()}`;
}

function valueText(result: BenchResult, series: Series, measure: Measure, subject: SubjectName, wide: boolean): string {
  const cell = cellOf(result.cells, series, measure, subject);
  if (!cell) return '';
  const value = formatValue(cell.median, cell.unit) + (cell.limitedBy ? GENERATOR_MARK : '');
  const ratio = ratioOf(result.ratios, series, measure, subject);
  if (!ratio) return value;
  return `${value}${wide ? '  ' : '\n'}${VERDICT_COLOURS[judge(ratio, measure)](formatRatio(ratio.median, ratio.bound).padStart(5))}`;
}

export const VERDICT_COLOURS = { good: pc.green, bad: pc.red, '': String };

function shareText({ samples }: SeriesResult, subject: SubjectName): string {
  const share = medianShare(
    samples.filter((sample) => sample.subject === subject),
    'clientShare',
  );
  return share === undefined ? '' : `${(share * 100).toFixed(0)} %`;
}

/** Of what tinybench measured: how far its mean may be off. */
function marginText({ cells }: BenchResult, series: Series, subject: SubjectName): string {
  const [measure] = series.case.measures;
  const rme = measure && cellOf(cells, series, measure, subject)?.rme;
  return rme === undefined ? '' : `±${rme.toFixed(1)} %`;
}

function legend({ cells, ratios }: BenchResult): string {
  const lines: string[] = [];
  if (ratios.some(({ baseline }) => baseline === 'node:net')) {
    lines.push(
      'x: against node:net, taken within each round, then the median; ' +
        `${pc.green('green')} and ${pc.red('red')} where all rounds agree on better or worse`,
    );
  }
  if (cells.some(({ limitedBy }) => limitedBy !== undefined)) {
    lines.push(
      `${GENERATOR_MARK} the load generator was at its limit and the server was not: ` +
        'this says nothing of the server, its cpu counts',
    );
  }
  return lines.join('\n');
}

/** Per subject of ours, the headlines in one line. */
function summary({ ratios }: BenchResult): string {
  const headlines = headlinesOf(ratios);
  const pairs = (['channel', 'native'] as const).flatMap((subject) =>
    NODE_BASELINES.map((baseline) => ({ subject, baseline })),
  );
  const lines = pairs.map(({ subject, baseline }) => {
    const words = headlines.flatMap(({ benchCase, measure, ratios: ours }) =>
      ours
        .filter((ratio) => ratio.subject === subject && ratio.baseline === baseline)
        .map(({ params, median, bound }) =>
          [benchCase.name, `(${describeParams(params)})`, measure.name, formatRatio(median, bound)].join(' '),
        ),
    );
    return words.length > 0 ? `${pc.bold(subject)} against ${baseline} over UNIX: ${words.join(', ')}` : '';
  });
  return lines.filter(Boolean).join('\n');
}

export function notes({ warnings, failures }: BenchResult): string {
  return [
    ...warnings.map((warning) => pc.yellow(`warning: ${warning}`)),
    ...failures.map((failure) => pc.red(`failed: ${failure}`)),
  ].join('\n');
}
