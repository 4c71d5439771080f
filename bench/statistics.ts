/** From samples to the numbers of a report. */
import { CASES } from './cases/index.js';
import { mergeHistograms, percentileOf, PERCENTILES } from './histogram.js';
import type {
  Bound,
  CellResult,
  LatencyResult,
  Measure,
  MeasureName,
  RatioResult,
  Sample,
  SeriesResult,
  SubjectName,
} from './model.js';
import { baselineOf, subjectNamed, type Subject } from './subjects.js';

export const OURS: readonly SubjectName[] = ['channel', 'native'];
/** The baselines of nearwire's subjects, node's defaults first. */
export const NODE_BASELINES: readonly SubjectName[] = ['node:net', 'node:net tuned'];
/** The additional baseline of all subjects. */
const FLOOR: SubjectName = 'c';

/** From this share of a core, the client's process is busy all the time, apart from occasional waits. */
const GENERATOR_BUSY = 0.9;
/** A server counts as "clearly less" busy than the client if the difference is at least this share of a core. */
const CLEARLY_LESS = 0.1;

/** Measures that describe the server even if the client was the limit. */
const COUNTS_ANYWAY: readonly MeasureName[] = ['cpu', 'memory', 'time'];

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export type RatioSummary = Pick<RatioResult, 'median' | 'low' | 'high' | 'rounds'>;

/** The ratio is taken within each round that has both values, so that a disturbance affects both sides. */
export function ratioWithinRounds(
  subject: ReadonlyMap<number, number>,
  baseline: ReadonlyMap<number, number>,
): RatioSummary | undefined {
  const ratios: number[] = [];
  for (const [round, value] of subject) {
    const against = baseline.get(round);
    if (against !== undefined && against > 0) ratios.push(value / against);
  }
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios), rounds: ratios.length };
}

/** The values of one subject by round; rounds without a value are left out. */
export function valuesByRound(
  { samples }: SeriesResult,
  subject: SubjectName,
  valueOf: (sample: Sample) => number | undefined,
): Map<number, number> {
  const values = new Map<number, number>();
  for (const sample of samples) {
    const value = sample.subject === subject ? valueOf(sample) : undefined;
    if (value !== undefined) values.set(sample.round, value);
  }
  return values;
}

/** The median over the rounds that have such a value. */
export function medianOf(...of: Parameters<typeof valuesByRound>): number | undefined {
  const values = [...valuesByRound(...of).values()];
  return values.length === 0 ? undefined : median(values);
}

/** Whether the load generator was the limit. Only for cases in which it is not the subject itself. */
function limitedByGenerator(result: SeriesResult, measure: Measure, subject: SubjectName): boolean {
  const { case: benchCase } = result.series;
  if (COUNTS_ANYWAY.includes(measure.name) || benchCase.client !== 'floor') return false;
  const client = medianOf(result, subject, ({ clientShare }) => clientShare);
  const server = medianOf(result, subject, ({ serverShare }) => serverShare);
  return client !== undefined && server !== undefined && client >= GENERATOR_BUSY && server <= client - CLEARLY_LESS;
}

export function cellsOf(result: SeriesResult): CellResult[] {
  const { case: benchCase, params, family, subjects } = result.series;
  return benchCase.measures.flatMap((measure) =>
    subjects.flatMap((subject): CellResult[] => {
      const { name, unit, better } = measure;
      const samples = [...valuesByRound(result, subject, ({ values }) => values[name]).values()];
      if (samples.length === 0) return [];
      const limitedBy = limitedByGenerator(result, measure, subject) ? 'generator' : undefined;
      return [
        {
          ...{ case: benchCase.name, params, family, subject, measure: name, unit, better, samples },
          ...{ median: median(samples), limitedBy, rme: medianOf(result, subject, (sample) => sample.rme) },
        },
      ];
    }),
  );
}

export function ratiosOf(result: SeriesResult, lineup: readonly Subject[]): RatioResult[] {
  const { case: benchCase, params, family, subjects } = result.series;
  return benchCase.measures.flatMap((measure) => {
    const sideOf = (name: SubjectName): { values: Map<number, number>; limited: boolean } => ({
      values: valuesByRound(result, name, ({ values }) => values[measure.name]),
      limited: limitedByGenerator(result, measure, name),
    });
    return subjects.flatMap((subject) =>
      baselinesOf(subjectNamed(subject, lineup)).flatMap((baseline): RatioResult[] => {
        const [ours, theirs] = [sideOf(subject), sideOf(baseline)];
        const summary = ratioWithinRounds(ours.values, theirs.values);
        if (subject === baseline || !summary || (ours.limited && theirs.limited)) return [];
        const verdict = ours.limited ? 'good' : 'bad';
        const bound = ours.limited || theirs.limited ? boundTo(verdict, measure) : undefined;
        return [{ case: benchCase.name, params, family, measure: measure.name, subject, baseline, ...summary, bound }];
      }),
    );
  });
}

/** The latencies of all rounds: histograms are merged, and percentiles computed from the result. */
export function latenciesOf({ series, samples, offered }: SeriesResult): LatencyResult[] {
  const { case: benchCase, params, family } = series;
  return series.subjects.flatMap((subject) => {
    const taken = samples.flatMap((sample) => (sample.subject === subject && sample.latency ? [sample.latency] : []));
    if (taken.length === 0) return [];
    const histogram = mergeHistograms(taken);
    const told = PERCENTILES.map((percentile) => [percentile.name, percentileOf(histogram, percentile)] as const);
    const percentiles = Object.fromEntries(told.filter(([, value]) => value !== undefined));
    return [{ case: benchCase.name, params, family, subject, offered, rounds: taken.length, percentiles, histogram }];
  });
}

/** Subjects on another Node are not compared with this one. */
function baselinesOf(subject: Subject): readonly SubjectName[] {
  const own = baselineOf(subject);
  return [...(NODE_BASELINES.includes(own) ? NODE_BASELINES : [own]), FLOOR];
}

/** The bound of a ratio that can only be better, or only worse, than measured. */
function boundTo(verdict: 'good' | 'bad', { better }: Measure): Bound {
  return (verdict === 'good') === (better === 'higher') ? '>=' : '<=';
}

/** From this number of rounds, their agreement is no coincidence. */
export const ROUNDS_TO_JUDGE = 3;

export type Verdict = 'good' | 'bad' | '';

/**
 * Better or worse than the baseline, if all rounds agree, and if the load generator's limit cannot change the verdict.
 */
export function judge(ratio: RatioResult): Verdict {
  const { low, high, rounds, bound } = ratio;
  const measures = CASES.find(({ name }) => name === ratio.case)?.measures;
  const measure = measures?.find(({ name }) => name === ratio.measure);
  // A recorded result may contain cases or measures that no longer exist.
  if (!measure || rounds < ROUNDS_TO_JUDGE || (low <= 1 && high >= 1)) return '';
  const verdict = low > 1 === (measure.better === 'higher') ? 'good' : 'bad';
  return bound === undefined || bound === boundTo(verdict, measure) ? verdict : '';
}
