/** The results of the open loops of case load: one block per handler, with the users' waiting time at each load. */
import { load as loadCase } from '../cases/http.js';
import { describeParams, formatTime, formatValue } from '../format.js';
import { percentileOf, PERCENTILES, type Percentile } from '../histogram.js';
import type { BenchResult, LatencyResult, SeriesResult, SubjectName } from '../model.js';
import { workOf } from '../offered.js';
import { ratioWithinRounds, valuesByRound } from '../statistics.js';
import { baselineOf, type Subject } from '../subjects.js';
import { blockOf, entryOf, measured, shownRatio, type Entry, type Figure } from './blocks.js';
import type { Block, Cell, ShownRatio } from './model.js';

/** For the median user, one in a hundred, and one in a thousand: these are plotted, and shown on a terminal. */
const SHORT: readonly string[] = ['p50', 'p99', 'p99.9'];
/** A rate counts as sustained if the latency stays below this many microseconds. */
const HELD_BELOW = 1_000;
/** The load, in percent, whose waiting time is stated in a sentence. */
const TOLD_LOAD = 75;
const BASELINE: SubjectName = 'node:net';

const NOTE = `Latencies are of the requests of all rounds, from when each was due; a percentile is shown if at least ten \
requests lie beyond it. cpu is the server's per request. Next to each figure is its ratio to node:net's at the same load.`;

export function loadBlocks(result: BenchResult, results: readonly SeriesResult[]): Block[] {
  const handlers = new Map<string, Entry[]>();
  for (const of of results) {
    const { params, family } = of.series;
    const work = workOf(params);
    const schedule = Object.fromEntries(Object.entries(params).filter(([name]) => !(name in work)));
    const label = `${describeParams(schedule)} (${formatValue(of.offered ?? 0, 'requests/s')})`;
    const entry = entryOf(result, of, { label, at: Number(params['load']), apart: 'arrival' in schedule });
    const handler = `${describeParams(work)}, ${family}`;
    handlers.set(handler, [...(handlers.get(handler) ?? []), entry]);
  }
  const figures = [
    ...PERCENTILES.map(latencyFigure),
    MAX,
    ...loadCase.measures
      .filter(({ name }) => name === 'cpu')
      .map((measure) => measured(measure, 'CPU of the server per request')),
  ];
  return [...handlers].map(([title, entries], at) => ({
    title,
    findings: findingsOf(result, entries),
    ...blockOf(result, `load-${String(at)}`, entries, figures, {
      title: `load, % of node:net's maximum${entries.some(({ apart }) => apart) ? '; apart: in bursts' : ''}`,
      logarithmic: false,
    }),
    note: at === handlers.size - 1 ? NOTE : '',
  }));
}

function latencyFigure(percentile: Percentile): Figure {
  const { name, title } = percentile;
  const isShort = SHORT.includes(title);
  return {
    ...{ name: title, detail: !isShort },
    ...(isShort && { plot: { title, meaning: `${title} of the latency`, unit: 'us', better: 'lower' } }),
    cellOf(entry, subject) {
      const value = latencyIn(entry, subject.name)?.percentiles[name];
      return value === undefined ? '' : timeCell(value, latencyRatio(entry, subject, percentile));
    },
  };
}

const MAX: Figure = {
  ...{ name: 'max', detail: true },
  cellOf(entry, { name }) {
    const latency = latencyIn(entry, name);
    return latency ? timeCell(latency.histogram.max) : '';
  },
};

function latencyIn({ latencies }: Entry, subject: SubjectName): LatencyResult | undefined {
  return latencies.find((latency) => latency.subject === subject);
}

function timeCell(value: number, ratio?: ShownRatio): Cell {
  const text = formatTime(value);
  return { value, low: value, high: value, text, spread: text, limited: false, ratio };
}

/** The ratio of all rounds together; its extremes are those of the rounds that have enough requests by themselves. */
function latencyRatio(entry: Entry, subject: Subject, percentile: Percentile): ShownRatio | undefined {
  const baseline = baselineOf(subject);
  const [ours, theirs] = [subject.name, baseline].map((name) => latencyIn(entry, name)?.percentiles[percentile.name]);
  if (ours === undefined || theirs === undefined || subject.name === baseline) return undefined;
  const roundsOf = (name: SubjectName): Map<number, number> =>
    valuesByRound(entry.of, name, ({ latency }) => latency && percentileOf(latency, percentile));
  const median = ours / theirs;
  const { low, high } = ratioWithinRounds(roundsOf(subject.name), roundsOf(baseline)) ?? { low: median, high: median };
  return shownRatio({ median, low: Math.min(low, median), high: Math.max(high, median) }, baseline, '');
}

/** As far as measured: the waiting time at three quarters of the load, and the load that is sustained. */
function findingsOf({ lineup }: BenchResult, entries: readonly Entry[]): string[] {
  const even = entries.filter(({ apart }) => !apart).toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0));
  const all = lineup.map(({ name }) => ({
    name,
    tried: even.flatMap((entry) => {
      const p99 = latencyIn(entry, name)?.percentiles.p99;
      return p99 === undefined ? [] : [{ p99, at: entry.at, offered: entry.of.offered ?? 0 }];
    }),
  }));
  const told = all.flatMap(({ name, tried }) => {
    const found = tried.find(({ at }) => at === TOLD_LOAD);
    return found ? [{ name, time: formatTime(found.p99) }] : [];
  });
  const base = told.find(({ name }) => name === BASELINE);
  const others = told.filter((entry) => entry !== base).map(({ name, time }) => `${time} (${name})`);
  const held = all.flatMap(({ name, tried }) => {
    // A higher load that succeeds after a lower one has failed is luck.
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
