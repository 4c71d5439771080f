/** What the open loops of case load gave: a block for each handler, in which a user's wait is told at each load. */
import { load as loadCase } from '../cases/http.js';
import { formatTime } from '../cost/format-time.js';
import { describeParams, formatRatio, formatSpread, formatValue } from '../format.js';
import { percentileOf, PERCENTILES } from '../histogram.js';
import type { BenchResult, LatencyResult, SeriesResult, SubjectName } from '../model.js';
import { workOf } from '../offered.js';
import { ratioWithinRounds, valuesByRound } from '../statistics.js';
import { baselineOf } from '../subjects.js';
import { blockOf, measured, type Entry, type Figure } from './blocks.js';
import { isOfSeries } from './cells.js';
import type { Block, Cell, ShownRatio } from './model.js';

/** Of the median user, of one in a hundred, of one in a thousand: what is plotted, and shown on a terminal. */
const SHARES: readonly number[] = [0.5, 0.99, 0.999];
/** What the latency is to stay below when a rate is said to be held, microseconds. */
const HELD_BELOW = 1_000;
/** Percent, at which the wait is told in a sentence. */
const TOLD_LOAD = 75;
const BASELINE: SubjectName = 'node:net';

const NOTE = `Latencies are of all rounds' requests put together, from when each was due; a percentile is told where ten \
requests or more lie beyond it. cpu is the server's of a request. Beside each figure is its ratio to node:net's at the same load.`;

interface Point extends Entry {
  readonly at: number;
  /** In bursts. */
  readonly apart: boolean;
}

export function loadBlocks(result: BenchResult, results: readonly SeriesResult[]): Block[] {
  const handlers = new Map<string, Point[]>();
  for (const entry of results) {
    const { params, family } = entry.series;
    const work = workOf(params);
    const schedule = Object.fromEntries(Object.entries(params).filter(([name]) => !(name in work)));
    const handler = `${describeParams(work)}, ${family}`;
    const point = {
      ...{ entry, at: Number(params['load']), apart: params['arrival'] !== undefined },
      label: `${describeParams(schedule)} (${formatValue(entry.offered ?? 0, 'requests/s')})`,
    };
    handlers.set(handler, [...(handlers.get(handler) ?? []), point]);
  }
  const figures = figuresOf(result);
  return [...handlers].map(([title, points], at) => ({
    title,
    findings: findingsOf(result, points),
    ...blockOf(result, `load-${String(at)}`, points, figures, {
      title: `load, % of node:net's maximum${points.some(({ apart }) => apart) ? '; apart: in bursts' : ''}`,
      logarithmic: false,
    }),
    note: at === handlers.size - 1 ? NOTE : '',
  }));
}

function figuresOf(result: BenchResult): Figure[] {
  const latencies = PERCENTILES.map((percentile): Figure => {
    const { title: name } = percentile;
    const wholeOf = (entry: SeriesResult, subject: SubjectName): number | undefined =>
      latencyAt(result, entry, subject)?.percentiles[percentile.name];
    const isShort = SHARES.includes(percentile.share);
    return {
      ...{ name, detail: !isShort },
      ...(isShort && { plot: { title: name, meaning: `${name} of the latency`, unit: 'us', better: 'lower' } }),
      cellOf(entry, subject) {
        const baseline = baselineOf(subject);
        const [ours, theirs] = [wholeOf(entry, subject.name), wholeOf(entry, baseline)];
        if (ours === undefined) return '';
        if (theirs === undefined || subject.name === baseline) return timeCell(ours);
        const roundsOf = (of: SubjectName): Map<number, number> =>
          valuesByRound(entry, of, ({ latency }) => latency && percentileOf(latency, percentile));
        const rounds = ratioWithinRounds(roundsOf(subject.name), roundsOf(baseline));
        return timeCell(ours, latencyRatio(ours / theirs, baseline, rounds));
      },
    };
  });
  const max: Figure = {
    ...{ name: 'max', detail: true },
    cellOf(entry, { name }) {
      const latency = latencyAt(result, entry, name);
      return latency ? timeCell(latency.histogram.max) : '';
    },
  };
  const cpu = loadCase.measures.filter(({ name }) => name === 'cpu');
  return [...latencies, max, ...cpu.map((measure) => measured(result, measure, 'CPU of the server a request'))];
}

function latencyAt({ latencies }: BenchResult, entry: SeriesResult, subject: SubjectName): LatencyResult | undefined {
  const { series } = entry;
  const place = { ...series, case: series.case.name };
  return latencies.find((latency) => latency.subject === subject && isOfSeries(latency, place));
}

function timeCell(value: number, ratio?: ShownRatio): Cell {
  const text = formatTime(value);
  return { value, low: value, high: value, text, spread: text, limited: false, ratio };
}

/** Of all rounds together; the extremes are of those that have enough requests by themselves. */
function latencyRatio(
  value: number,
  baseline: SubjectName,
  { low, high }: { readonly low: number; readonly high: number } = { low: value, high: value },
): ShownRatio {
  const span = { low: Math.min(low, value), high: Math.max(high, value) };
  const spread = formatSpread({ median: value, ...span });
  return { value, ...span, text: formatRatio(value), spread, verdict: '', baseline };
}

/** Where it was tried: what a user waits at three quarters of the load, and what load is held. */
function findingsOf(result: BenchResult, points: readonly Point[]): string[] {
  const even = points.filter(({ apart }) => !apart).toSorted((a, b) => a.at - b.at);
  const p99sOf = (name: SubjectName): { p99: number; at: number; offered: number }[] =>
    even.flatMap(({ entry, at }) => {
      const p99 = latencyAt(result, entry, name)?.percentiles.p99;
      return p99 === undefined ? [] : [{ p99, at, offered: entry.offered ?? 0 }];
    });
  const all = result.lineup.map(({ name }) => ({ name, tried: p99sOf(name) })).filter(({ tried }) => tried.length > 0);
  const told = all.flatMap(({ name, tried }) => {
    const found = tried.find(({ at }) => at === TOLD_LOAD);
    return found ? [{ name, time: formatTime(found.p99) }] : [];
  });
  const base = told.find(({ name }) => name === BASELINE);
  const others = told.filter((entry) => entry !== base).map(({ name, time }) => `${time} (${name})`);
  const held = all.flatMap(({ name, tried }) => {
    // What is held after a miss is luck.
    const miss = tried.findIndex(({ p99 }) => p99 >= HELD_BELOW);
    const most = (miss < 0 ? tried : tried.slice(0, miss)).at(-1);
    if (!most || tried.length < 2) return [];
    const words = `${name} ${formatValue(most.offered, 'requests/s')}`;
    return [`${words} (${String(most.at)} %${miss < 0 ? ', the highest tried' : ''})`];
  });
  return [
    ...(base && others.length > 0
      ? [`at ${String(TOLD_LOAD)} % of node:net's maximum p99 is ${others.join(', ')} against ${base.time}`]
      : []),
    ...(held.length > 0 ? [`p99 stays below 1 ms up to ${held.join(', ')}`] : []),
  ];
}
