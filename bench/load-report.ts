/** What the open loops of case load gave, apart from how it is shown. */
import { load as loadCase } from './cases/load.js';
import { formatTime } from './cost/format-time.js';
import { describeParams, formatValue } from './format.js';
import { PERCENTILES, type Percentile } from './histogram.js';
import { percentileRatio, type PercentileRatio } from './latencies.js';
import type {
  BenchResult,
  CellResult,
  Family,
  LatencyResult,
  RatioResult,
  SeriesResult,
  SubjectName,
} from './model.js';
import { workOf } from './offered.js';
import { cellOf, ratioOf } from './statistics.js';
import { SUBJECTS } from './subjects.js';

/** Of the median user, of one in a hundred, of one in a thousand. */
export const SHOWN: readonly Percentile[] = PERCENTILES.filter(({ share }) => [0.5, 0.99, 0.999].includes(share));

/** What the latency is to stay below when a rate is said to be held, microseconds. */
const HELD_BELOW = 1_000;
const BASELINE: SubjectName = 'node:net';

export interface LoadPoint {
  readonly subject: SubjectName;
  readonly latency: LatencyResult;
  readonly ratios: readonly (PercentileRatio | undefined)[];
  readonly cpu: CellResult | undefined;
  readonly cpuRatio: RatioResult | undefined;
}

/** All subjects at one rate. */
export interface LoadRow {
  /** Percent of node:net's maximum. */
  readonly load: number;
  /** Requests a second. */
  readonly offered: number;
  readonly points: readonly LoadPoint[];
}

/** One handler over one family. */
export interface LoadCourse {
  readonly handler: string;
  readonly family: Family;
  readonly subjects: readonly SubjectName[];
  readonly rows: readonly LoadRow[];
}

export function loadCoursesOf(result: BenchResult): LoadCourse[] {
  const byHandler = new Map<string, SeriesResult[]>();
  for (const entry of result.results) {
    if (entry.series.case !== loadCase || entry.samples.length === 0) continue;
    const key = JSON.stringify([entry.series.family, workOf(entry.series.params)]);
    byHandler.set(key, [...(byHandler.get(key) ?? []), entry]);
  }
  return [...byHandler.values()].flatMap((entries) => {
    const [first] = entries;
    if (!first) return [];
    const { family, params } = first.series;
    const rows = entries.map((entry) => rowOf(result, entry));
    const names = [BASELINE, ...SUBJECTS.map(({ name }) => name).filter((name) => name !== BASELINE)];
    const subjects = names.filter((name) => rows.some(({ points }) => points.some(({ subject }) => subject === name)));
    return [{ handler: describeParams(workOf(params)), family, subjects, rows }];
  });
}

function rowOf(result: BenchResult, entry: SeriesResult): LoadRow {
  const { series, offered = 0 } = entry;
  const cpu = loadCase.measures.find(({ name }) => name === 'cpu');
  const points = result.latencies
    .filter(
      ({ case: name, params, family }) =>
        name === series.case.name && params === series.params && family === series.family,
    )
    .map((latency): LoadPoint => ({
      subject: latency.subject,
      latency,
      ratios: SHOWN.map((percentile) => percentileRatio(entry, latency.subject, percentile)),
      cpu: cpu && cellOf(result.cells, series, cpu, latency.subject),
      cpuRatio: cpu && ratioOf(result.ratios, series, cpu, latency.subject),
    }));
  return { load: Number(series.params['load']), offered, points };
}

/** Of a course, where it was tried: what a user waits at three quarters of the load, and what load is held. */
export function loadHeadlines({ subjects, rows }: LoadCourse): string[] {
  const row = rows.find(({ load }) => load === 75);
  const valueOf = (point: LoadPoint | undefined): number | undefined => point?.latency.percentiles.p99;
  const base = valueOf(row?.points.find(({ subject }) => subject === BASELINE));
  const ours = (row?.points ?? []).flatMap((point) => {
    const value = valueOf(point);
    return point.subject === BASELINE || value === undefined ? [] : [`${formatTime(value)} (${point.subject})`];
  });
  const held = subjects.flatMap((subject) => {
    const tried = rows
      .flatMap(({ load, offered, points }) => {
        const p99 = valueOf(points.find((point) => point.subject === subject));
        return p99 === undefined ? [] : [{ load, offered, p99 }];
      })
      .sort((a, b) => a.offered - b.offered);
    // What is held after a miss is luck.
    const miss = tried.findIndex(({ p99 }) => p99 >= HELD_BELOW);
    const most = (miss < 0 ? tried : tried.slice(0, miss)).at(-1);
    if (!most || tried.length < 2) return [];
    const words = `${subject} ${formatValue(most.offered, 'requests/s')}`;
    return [`${words} (${String(most.load)} %${miss < 0 ? ', the highest tried' : ''})`];
  });
  return [
    ...(base === undefined || ours.length === 0
      ? []
      : [`at 75 % of node:net's maximum p99 is ${ours.join(', ')} against ${formatTime(base)}`]),
    ...(held.length > 0 ? [`p99 stays below 1 ms up to ${held.join(', ')}`] : []),
  ];
}
