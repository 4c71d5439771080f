/** Latencies of all rounds: their histograms are put together, and percentiles are those of the whole. */
import { mergeHistograms, percentileOf, PERCENTILES, type Percentile } from './histogram.js';
import type { LatencyResult, SeriesResult, SubjectName } from './model.js';

export function latenciesOf({ series, samples, offered }: SeriesResult): LatencyResult[] {
  return series.subjects.flatMap((subject) => {
    const taken = samples.flatMap((sample) => (sample.subject === subject && sample.latency ? [sample.latency] : []));
    if (taken.length === 0) return [];
    const histogram = mergeHistograms(taken);
    const told = PERCENTILES.flatMap((percentile) => {
      const value = percentileOf(histogram, percentile);
      return value === undefined ? [] : [[percentile.name, value] as const];
    });
    return [
      {
        ...{ case: series.case.name, params: series.params, family: series.family, subject },
        ...(offered === undefined ? {} : { offered }),
        ...{ rounds: taken.length, percentiles: Object.fromEntries(told), histogram },
      },
    ];
  });
}

/** Against node:net: of all rounds, and the extremes of those rounds that have enough requests by themselves. */
export interface PercentileRatio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export function percentileRatio(
  { samples }: SeriesResult,
  subject: SubjectName,
  percentile: Percentile,
): PercentileRatio | undefined {
  const takenOf = (name: SubjectName) => samples.filter((sample) => sample.subject === name);
  const ofAll = (name: SubjectName) =>
    percentileOf(mergeHistograms(takenOf(name).flatMap(({ latency }) => latency ?? [])), percentile);
  const [ours, theirs] = [ofAll(subject), ofAll('node:net')];
  if (subject === 'node:net' || ours === undefined || theirs === undefined) return undefined;
  const value = ours / theirs;
  const baselines = new Map(takenOf('node:net').map(({ round, latency }) => [round, latency]));
  const ratios = takenOf(subject).flatMap(({ round, latency }) => {
    const against = baselines.get(round);
    const [own = NaN, other = NaN] = [latency, against].map((taken) => taken && percentileOf(taken, percentile));
    return Number.isNaN(own / other) ? [] : [own / other];
  });
  return { value, low: Math.min(value, ...ratios), high: Math.max(value, ...ratios) };
}
