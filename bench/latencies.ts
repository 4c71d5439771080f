/** Latencies of all rounds: their histograms are put together, and percentiles are those of the whole. */
import { mergeHistograms, percentileOf, PERCENTILES } from './histogram.js';
import type { LatencyResult, SeriesResult } from './model.js';

export function latenciesOf({ series, samples, offered }: SeriesResult): LatencyResult[] {
  return series.subjects.flatMap((subject) => {
    const taken = samples.flatMap((sample) => (sample.subject === subject && sample.latency ? [sample.latency] : []));
    if (taken.length === 0) return [];
    const histogram = mergeHistograms(taken);
    const told = PERCENTILES.flatMap((percentile) => {
      const value = percentileOf(histogram, percentile);
      return value === undefined ? [] : [[percentile.name, value] as const];
    });
    const of = { case: series.case.name, params: series.params, family: series.family, subject };
    return [{ ...of, offered, rounds: taken.length, percentiles: Object.fromEntries(told), histogram }];
  });
}
