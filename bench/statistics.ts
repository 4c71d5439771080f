/** From samples to the numbers of a report. */
import { CASES } from './cases/index.js';
import type {
  BenchCase,
  Bound,
  CellResult,
  Measure,
  MeasureName,
  RatioResult,
  Sample,
  Series,
  SeriesResult,
  SubjectName,
} from './model.js';
import { baselineOf, subjectNamed, type Subject } from './subjects.js';

/** What ours is told against, its defaults first. */
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

/** Median of a share over the samples that have one. */
export function medianShare(samples: readonly Sample[], of: 'clientShare' | 'serverShare'): number | undefined {
  const shares = samples.map((sample) => sample[of]).filter((share) => share !== undefined);
  return shares.length === 0 ? undefined : median(shares);
}

/** Was the load generator the limit? Only for cases in which it is not itself the subject. */
function limitedByGenerator(result: SeriesResult, measure: Measure, subject: SubjectName): boolean {
  if (COUNTS_ANYWAY.includes(measure.name)) return false;
  const samples = result.samples.filter((sample) => sample.subject === subject);
  if (result.series.case.kind !== 'peers' || result.series.case.client !== 'floor') return false;
  const client = medianShare(samples, 'clientShare');
  const server = medianShare(samples, 'serverShare');
  if (client === undefined || server === undefined) return false;
  return client >= GENERATOR_BUSY && server <= client - CLEARLY_LESS;
}

export function measureOf(entry: Pick<RatioResult, 'case' | 'measure'>): Measure | undefined {
  return CASES.find(({ name }) => name === entry.case)?.measures.find(({ name }) => name === entry.measure);
}

export function cellsOf(result: SeriesResult): CellResult[] {
  const { series } = result;
  const cells: CellResult[] = [];
  for (const measure of series.case.measures) {
    for (const subject of series.subjects) {
      const samples = result.samples.filter((sample) => sample.subject === subject);
      const values = [...valuesByRound(samples, measure).values()];
      if (values.length === 0) continue;
      cells.push({
        case: series.case.name,
        params: series.params,
        family: series.family,
        subject,
        measure: measure.name,
        unit: measure.unit,
        better: measure.better,
        samples: values,
        median: median(values),
        ...(limitedByGenerator(result, measure, subject) ? { limitedBy: 'generator' } : {}),
        ...rmeOf(samples),
      });
    }
  }
  return cells;
}

function rmeOf(samples: readonly Sample[]): Pick<CellResult, 'rme'> {
  const margins = samples.map(({ rme }) => rme).filter((rme) => rme !== undefined);
  return margins.length === 0 ? {} : { rme: median(margins) };
}

export function ratiosOf(result: SeriesResult, lineup: readonly Subject[]): RatioResult[] {
  const { series, samples } = result;
  const ratios: RatioResult[] = [];
  for (const measure of series.case.measures) {
    const bySubject = new Map(
      series.subjects.map((subject) => [
        subject,
        valuesByRound(
          samples.filter((sample) => sample.subject === subject),
          measure,
        ),
      ]),
    );
    const heldAgainst = new Map(series.subjects.map((name) => [name, baselinesOf(subjectNamed(name, lineup))]));
    for (const baseline of new Set([...heldAgainst.values()].flat())) {
      const against = bySubject.get(baseline);
      if (!against) continue;
      for (const [subject, values] of bySubject) {
        if (subject === baseline || heldAgainst.get(subject)?.includes(baseline) !== true) continue;
        const summary = ratioWithinRounds(values, against);
        const isLimited = (name: SubjectName): boolean => limitedByGenerator(result, measure, name);
        if (!summary || (isLimited(subject) && isLimited(baseline))) continue;
        ratios.push({
          case: series.case.name,
          params: series.params,
          family: series.family,
          measure: measure.name,
          subject,
          baseline,
          ...summary,
          ...(isLimited(subject) && { bound: boundTo('good', measure) }),
          ...(isLimited(baseline) && { bound: boundTo('bad', measure) }),
        });
      }
    }
  }
  return ratios;
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

/** A subject's values, by the round of each. */
export function valuesByRound(samples: readonly Sample[], measure: Pick<Measure, 'name'>): Map<number, number> {
  const values = new Map<number, number>();
  for (const sample of samples) {
    const value = sample.values[measure.name];
    if (value !== undefined) values.set(sample.round, value);
  }
  return values;
}

/** The entry of a subject in what a series gave for one measure. */
function isOf(
  entry: CellResult | RatioResult,
  { case: { name }, params, family }: Series,
  measure: Measure,
  subject: SubjectName,
): boolean {
  return (
    entry.case === name &&
    entry.params === params &&
    entry.family === family &&
    entry.measure === measure.name &&
    entry.subject === subject
  );
}

export function cellOf(
  cells: readonly CellResult[],
  series: Series,
  measure: Measure,
  subject: SubjectName,
): CellResult | undefined {
  return cells.find((cell) => isOf(cell, series, measure, subject));
}

/** The ratio to node:net, or to what else the subject is held against. */
export function ratioOf(
  ratios: readonly RatioResult[],
  series: Series,
  measure: Measure,
  subject: SubjectName,
): RatioResult | undefined {
  return ratios.find((ratio) => ratio.baseline !== FLOOR && isOf(ratio, series, measure, subject));
}

/** Rounds from which on their agreement is no accident. */
export const ROUNDS_TO_JUDGE = 3;

/** Better or worse than the baseline, if all rounds agree on it, and if it would be so without the load generator's limit. */
export function judge({ low, high, rounds, bound }: RatioResult, measure: Measure): 'good' | 'bad' | '' {
  if (rounds < ROUNDS_TO_JUDGE || (low <= 1 && high >= 1)) return '';
  const verdict = low > 1 === (measure.better === 'higher') ? 'good' : 'bad';
  return bound === undefined || bound === boundTo(verdict, measure) ? verdict : '';
}

export interface Headline {
  readonly benchCase: BenchCase;
  readonly measure: Measure;
  readonly ratios: readonly RatioResult[];
}

/** What is worth telling a reader in a hurry: ours against either node:net over UNIX sockets, one measure a case. */
export function headlinesOf(ratios: readonly RatioResult[]): Headline[] {
  return CASES.flatMap((benchCase) => {
    const measure = benchCase.measures.find(({ name }) => name === benchCase.headline);
    if (!measure) return [];
    const found = NODE_BASELINES.flatMap((baseline) =>
      (['channel', 'native'] as const).flatMap((subject) => {
        const ratio = ratios.find(
          (entry) =>
            entry.case === benchCase.name &&
            entry.measure === measure.name &&
            entry.family === 'unix' &&
            entry.subject === subject &&
            entry.baseline === baseline,
        );
        return ratio ? [ratio] : [];
      }),
    );
    return found.length > 0 ? [{ benchCase, measure, ratios: found }] : [];
  });
}
