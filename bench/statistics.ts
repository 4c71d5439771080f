/** From samples to the numbers of a report. */
import { CASES } from './cases/index.js';
import type {
  Bound,
  CellResult,
  Measure,
  MeasureName,
  RatioResult,
  Sample,
  SeriesResult,
  SubjectName,
} from './model.js';
import { baselineOf, subjectNamed, type Subject } from './subjects.js';

export const OURS: readonly SubjectName[] = ['channel', 'native'];
/** What they are told against, its defaults first. */
export const NODE_BASELINES: readonly SubjectName[] = ['node:net', 'node:net tuned'];
/** What all are held against besides. */
const FLOOR: SubjectName = 'c';

/** From this share of a core on the client's process is busy all the time but for the odd wait. */
const GENERATOR_BUSY = 0.9;
/** The server was "clearly less" busy than the client if by this share of a core. */
const CLEARLY_LESS = 0.1;

/** Measures that say something of the server even where the client was the limit. */
const COUNTS_ANYWAY: readonly MeasureName[] = ['cpu', 'memory', 'time'];

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export interface RatioSummary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

/** The ratio is taken within each round that has both, so that what disturbs a round disturbs both its sides. */
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

/** Of one subject, by round; a round that has no such value is left out. */
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

/** The median of the rounds that have such a value. */
export function medianOf(...of: Parameters<typeof valuesByRound>): number | undefined {
  const values = [...valuesByRound(...of).values()];
  return values.length === 0 ? undefined : median(values);
}

/** Was the load generator the limit? Only for cases in which it is not itself the subject. */
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
      const rme = medianOf(result, subject, (sample) => sample.rme);
      return [
        {
          ...{ case: benchCase.name, params, family, subject, measure: name, unit, better },
          ...{ samples, median: median(samples) },
          ...(limitedByGenerator(result, measure, subject) && { limitedBy: 'generator' }),
          ...(rme !== undefined && { rme }),
        },
      ];
    }),
  );
}

export function ratiosOf(result: SeriesResult, lineup: readonly Subject[]): RatioResult[] {
  const { case: benchCase, params, family, subjects } = result.series;
  const heldAgainst = new Map(subjects.map((name) => [name, baselinesOf(subjectNamed(name, lineup))]));
  const baselines = [...new Set([...heldAgainst.values()].flat())];
  const ratioOf = (measure: Measure, subject: SubjectName, baseline: SubjectName): RatioResult[] => {
    if (subject === baseline || heldAgainst.get(subject)?.includes(baseline) !== true) return [];
    const [ours, theirs] = [subject, baseline].map((name) => ({
      values: valuesByRound(result, name, ({ values }) => values[measure.name]),
      limited: limitedByGenerator(result, measure, name),
    }));
    const summary = ours && theirs && ratioWithinRounds(ours.values, theirs.values);
    if (!summary || (ours.limited && theirs.limited)) return [];
    return [
      {
        ...{ case: benchCase.name, params, family, measure: measure.name, subject, baseline, ...summary },
        ...(ours.limited && { bound: boundTo('good', measure) }),
        ...(theirs.limited && { bound: boundTo('bad', measure) }),
      },
    ];
  };
  return benchCase.measures.flatMap((measure) =>
    baselines.flatMap((baseline) => subjects.flatMap((subject) => ratioOf(measure, subject, baseline))),
  );
}

/** What is on another Node is not held against this one's. */
function baselinesOf(subject: Subject): readonly SubjectName[] {
  const own = baselineOf(subject);
  return [...(NODE_BASELINES.includes(own) ? NODE_BASELINES : [own]), FLOOR];
}

/** The ratio could only be found to be better, or worse, than it is seen. */
function boundTo(verdict: 'good' | 'bad', { better }: Measure): Bound {
  return (verdict === 'good') === (better === 'higher') ? '>=' : '<=';
}

/** Rounds from which on their agreement is no accident. */
export const ROUNDS_TO_JUDGE = 3;

export type Verdict = 'good' | 'bad' | '';

/** Better or worse than the baseline, if all rounds agree on it, and if it would be so without the load generator's limit. */
export function judge(ratio: RatioResult): Verdict {
  const { low, high, rounds, bound } = ratio;
  const measure = measureOf(ratio);
  if (!measure || rounds < ROUNDS_TO_JUDGE || (low <= 1 && high >= 1)) return '';
  const verdict = low > 1 === (measure.better === 'higher') ? 'good' : 'bad';
  return bound === undefined || bound === boundTo(verdict, measure) ? verdict : '';
}

/** Undefined of a case or measure that there no longer is. */
function measureOf(ratio: RatioResult): Measure | undefined {
  return CASES.find(({ name }) => name === ratio.case)?.measures.find(({ name }) => name === ratio.measure);
}

export interface Headline {
  readonly case: string;
  readonly measure: Measure;
  readonly ratios: readonly RatioResult[];
}

/** What is worth telling a reader in a hurry: ours against either node:net over UNIX sockets, one measure a case. */
export function headlinesOf(ratios: readonly RatioResult[]): Headline[] {
  return CASES.flatMap(({ name, measures, headline }) => {
    const measure = measures.find((entry) => entry.name === headline);
    const there = ratios.filter(
      (ratio) => ratio.case === name && ratio.measure === measure?.name && ratio.family === 'unix',
    );
    const found = NODE_BASELINES.flatMap((baseline) =>
      OURS.flatMap((subject) => there.find((entry) => entry.subject === subject && entry.baseline === baseline) ?? []),
    );
    return measure && found.length > 0 ? [{ case: name, measure, ratios: found }] : [];
  });
}
