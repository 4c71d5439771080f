/** What a run has measured, and how a figure of it is asked for: by stack, work and load. */
import { hopName } from './hop-alone.js';
import {
  atUsualSpeed,
  correctionOf,
  levelOf,
  shiftOf,
  type Correction,
  type HostLevel,
  type SpeedSeries,
} from './correction.js';
import { estimateOf, figureOf, pooledVariation, type Estimate } from './interval.js';
import { median } from '../statistics.js';
import { CROWD } from './measure.js';
import type {
  Cpu,
  CrossCheckSample,
  Figure,
  Hop,
  RawSamples,
  Role,
  RowResult,
  Sample,
  Split,
  Stack,
  Work,
  WorkName,
} from './model.js';

export interface Measured extends RawSamples {
  readonly stacks: readonly Pick<Stack, 'name' | 'title' | 'language' | 'hop'>[];
  readonly works: readonly Work[];
}

/** A request at a time, or many. */
export type Crowding = 'lone' | 'crowd';

/** The measures of a run, each with how far off it may be. */
export class Samples {
  readonly measured: Measured;
  private readonly host: HostLevel;
  private readonly byKey = new Map<string, Sample[]>();
  /** By measure: how it varies over all stacks. */
  private readonly variations = new Map<string, number | undefined>();
  private readonly corrections = new Map<string, Correction>();

  constructor(measured: Measured) {
    this.measured = measured;
    this.host = levelOf(measured.measurements.map(({ hostSpeed }) => hostSpeed));
    for (const sample of measured.measurements) {
      const crowding = crowdingOf(sample);
      if (crowding === undefined) continue;
      const key = keyOf(sample.stack, sample.work, crowding);
      this.byKey.set(key, [...(this.byKey.get(key) ?? []), sample]);
    }
  }

  /** Answers a second, with many at a time. */
  rate(stack: string, work: WorkName): Estimate | undefined {
    return this.of({ ...RATE, name: 'rate' }, stack, work);
  }

  /** Microseconds that the slowest hundredth takes, with many at a time. */
  p99(stack: string, work: WorkName): Estimate | undefined {
    return this.of({ ...P99, name: 'p99' }, stack, work);
  }

  /** CPU a request, with many at a time; `all` of the roles that there are. */
  cpu(stack: string, work: WorkName, role: Role | 'all', kind: keyof Cpu | 'all'): Estimate | undefined {
    const pick: Measure['pick'] = ({ cpu }) => cpuIn(cpu, role, kind);
    return this.of({ ...CPU, name: `${role} ${kind}`, pick }, stack, work);
  }

  /** Microseconds that a lone request takes. */
  time(stack: string, work: WorkName): Estimate | undefined {
    return this.of({ ...TIME, name: 'time' }, stack, work);
  }

  /** Microseconds of a lone request between plain C processes. */
  hop(hop: Hop, work: WorkName): Estimate | undefined {
    const parts = this.measured.hops.map((sample) => ({ ...sample, name: hopName(sample.hop), value: sample.time }));
    return this.ofParts(parts, hopName(hop), work, TIME);
  }

  /** The request put together from parts, against the whole. What the host does to it, it does to both. */
  crossCheck(stack: string, work: WorkName, of: Split['of']): Estimate | undefined {
    const ratios = this.measured.crossChecks.flatMap((sample) => {
      const ratio = of === 'time' ? timeRatio(sample) : cpuRatio(sample);
      return ratio === undefined ? [] : [{ stack: sample.stack, work: sample.work, ratio }];
    });
    const series = (name: string, each: WorkName): number[] =>
      ratios.filter((entry) => entry.stack === name && entry.work === each).map(({ ratio }) => ratio);
    const names = [...new Set(ratios.map((entry) => entry.stack))];
    const works = [...new Set(ratios.map((entry) => entry.work))];
    const variation = pooledVariation(names.flatMap((name) => works.map((each) => series(name, each))));
    return estimateOf(series(stack, work), variation);
  }

  application(language: Stack['language'], work: WorkName, of: Split['of']): Estimate | undefined {
    const { applications } = this.measured;
    const parts = applications.map((sample) => ({ ...sample, name: sample.language, value: sample[of] }));
    // It does nothing but compute.
    return this.ofParts(parts, language, work, CPU);
  }

  private of(measure: NamedMeasure, stack: string, work: WorkName): Estimate | undefined {
    const variation = this.variationOf(measure, work);
    return this.estimate(this.seriesOf(measure, stack, work), this.correctionOf(measure, work), variation);
  }

  private estimate(series: SpeedSeries, correction: Correction, variation: number | undefined): Estimate | undefined {
    const values = this.correct(series, correction);
    if (values.length === 0) return undefined;
    const level = Math.abs(median(values));
    const estimate = estimateOf(values, variation === undefined ? undefined : variation * level);
    return estimate && { ...estimate, shift: shiftOf(series, this.host, correction) * estimate.value };
  }

  private correct(series: SpeedSeries, correction: Correction): number[] {
    return series.map(({ value, hostSpeed }) => atUsualSpeed(value, hostSpeed, this.host, correction));
  }

  private seriesOf({ crowding, pick }: Measure, stack: string, work: WorkName): SpeedSeries {
    return (this.byKey.get(keyOf(stack, work, crowding)) ?? []).flatMap((sample) => {
      const value = pick(sample);
      return value === undefined ? [] : [{ value, hostSpeed: sample.hostSpeed }];
    });
  }

  /** Each work has its own: one that waits for a clock or for memory is slowed down by something else. */
  private correctionOf(measure: Measure, work: WorkName): Correction {
    const key = `${measure.kind} ${work}`;
    const known = this.corrections.get(key);
    if (known) return known;
    const all = this.measured.stacks.map(({ name }) => this.seriesOf(KINDS[measure.kind], name, work));
    const correction = correctionOf(all, measure.kind === 'rate' ? 1 : -1);
    this.corrections.set(key, correction);
    return correction;
  }

  /** Of the work; where too few stacks do it, of all works. */
  private variationOf(measure: NamedMeasure, work: WorkName): number | undefined {
    const key = `${measure.name} ${work}`;
    if (!this.variations.has(key)) {
      const works = this.measured.works.map(({ name }) => name);
      const variation = this.pooled(measure, [work]) ?? this.pooled(measure, works);
      this.variations.set(key, variation);
    }
    return this.variations.get(key);
  }

  private pooled(measure: NamedMeasure, works: readonly WorkName[]): number | undefined {
    return pooledVariation(
      this.measured.stacks.flatMap(({ name: stack }) =>
        works.map((work) => this.correct(this.seriesOf(measure, stack, work), this.correctionOf(measure, work))),
      ),
    );
  }

  /** Of the parts of this name and work, with how all of their kind vary. */
  private ofParts(parts: readonly PartSample[], name: string, work: WorkName, measure: Measure): Estimate | undefined {
    const byKey = new Map<string, PartSample[]>();
    for (const part of parts) {
      const key = `${part.name} ${part.work}`;
      byKey.set(key, [...(byKey.get(key) ?? []), part]);
    }
    const corrected = [...byKey.values()].map((series) => ({
      work: series[0]?.work,
      values: series.flatMap((part) => this.correct([part], this.correctionOf(measure, part.work))),
    }));
    const pool = (all: typeof corrected): number | undefined => pooledVariation(all.map(({ values }) => values));
    const variation = pool(corrected.filter((series) => series.work === work)) ?? pool(corrected);
    return this.estimate(byKey.get(`${name} ${work}`) ?? [], this.correctionOf(measure, work), variation);
  }

  stack(name: string): Measured['stacks'][number] | undefined {
    return this.measured.stacks.find((stack) => stack.name === name);
  }

  work(name: WorkName): Work | undefined {
    return this.measured.works.find((work) => work.name === name);
  }
}

/** What was measured once in a round apart from the stacks. */
interface PartSample {
  readonly name: string;
  readonly work: WorkName;
  readonly value: number;
  readonly hostSpeed: number;
}

interface Measure {
  /** Measures of a kind are slowed down alike where the host is slow. */
  readonly kind: 'rate' | 'p99' | 'cpu' | 'time';
  readonly crowding: Crowding;
  readonly pick: (sample: Sample) => number | undefined;
}

interface NamedMeasure extends Measure {
  readonly name: string;
}

const RATE: Measure = { kind: 'rate', crowding: 'crowd', pick: ({ rate }) => rate };
const P99: Measure = { kind: 'p99', crowding: 'crowd', pick: ({ p99 }) => p99 };
const CPU: Measure = { kind: 'cpu', crowding: 'crowd', pick: ({ cpu }) => cpuIn(cpu, 'all', 'all') };
const TIME: Measure = { kind: 'time', crowding: 'lone', pick: ({ p50 }) => p50 };
const KINDS: Readonly<Record<Measure['kind'], Measure>> = { rate: RATE, p99: P99, cpu: CPU, time: TIME };

function keyOf(stack: string, work: WorkName, crowding: Crowding): string {
  return [stack, work, crowding].join(' ');
}

function crowdingOf({ load }: Sample): Crowding | undefined {
  if (load.kind !== 'closed') return undefined;
  if (load.connections === 1) return 'lone';
  return load.connections === CROWD ? 'crowd' : undefined;
}

function cpuIn(cpu: Sample['cpu'], role: Role | 'all', kind: keyof Cpu | 'all'): number | undefined {
  const found = (role === 'all' ? (['front', 'app'] as const) : [role]).flatMap((name) => cpu[name] ?? []);
  if (found.length === 0) return undefined;
  return found.reduce((sum, { user, system }) => {
    if (kind === 'all') return sum + user + system;
    return sum + (kind === 'user' ? user : system);
  }, 0);
}

/** The plain C server is in both pairs, and in no request of the stack. */
function timeRatio({ time: { whole, plain, front, app } }: CrossCheckSample): number {
  return (front + app - plain) / whole;
}

function cpuRatio({ cpu }: CrossCheckSample): number | undefined {
  return cpu && cpu.parts / cpu.whole;
}

/** The rows of a report, of what has been measured of each stack and work. */
export function rowsOf(samples: Samples): RowResult[] {
  const rows: RowResult[] = [];
  for (const { name: stack } of samples.measured.stacks) {
    for (const { name: work } of samples.measured.works) {
      const [latency, rate, p99] = [samples.time(stack, work), samples.rate(stack, work), samples.p99(stack, work)];
      if (!latency || !rate || !p99) continue;
      rows.push({
        ...{ stack, work, latency: figureOf(latency), rate: figureOf(rate), p99: figureOf(p99) },
        cpu: cpuFigures(samples, stack, work),
      });
    }
  }
  return rows;
}

function cpuFigures(samples: Samples, stack: string, work: WorkName): RowResult['cpu'] {
  const figures: Partial<Record<Role, { user: Figure; system: Figure; all: Figure }>> = {};
  for (const role of ['front', 'app'] as const) {
    const [user, system, all] = (['user', 'system', 'all'] as const).map((kind) =>
      samples.cpu(stack, work, role, kind),
    );
    if (user && system && all) figures[role] = { user: figureOf(user), system: figureOf(system), all: figureOf(all) };
  }
  return figures;
}
