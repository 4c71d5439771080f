/** What a run has measured, and how a figure of it is asked for: by stack, work and load, round by round. */
import { hopName } from './hop-alone.js';
import { figureOfRounds, pooledVariation, roundsWith, type Rounds } from './interval.js';
import { median } from '../statistics.js';
import { CROWD } from './measure.js';
import type {
  Cpu,
  Figure,
  FrontSample,
  Hop,
  HopSample,
  RawSamples,
  Role,
  RowResult,
  Sample,
  Stack,
  Way,
  Work,
  WorkName,
} from './model.js';

export interface Measured extends RawSamples {
  readonly stacks: readonly Pick<Stack, 'name' | 'title' | 'language' | 'hop'>[];
  readonly works: readonly Work[];
}

/** A request at a time, or many. */
export type Crowding = 'lone' | 'crowd';

/** The measures by round, each with the variation that is to be expected of it. */
export class Samples {
  readonly measured: Measured;
  private readonly byKey = new Map<string, Sample[]>();
  /** By measure: how it varies over all stacks. */
  private readonly variations = new Map<string, number | undefined>();

  constructor(measured: Measured) {
    this.measured = measured;
    for (const { way, sample } of measured.measurements) {
      const crowding = crowdingOf(sample);
      if (crowding === undefined) continue;
      const key = keyOf(sample.stack, sample.work, crowding, way);
      this.byKey.set(key, [...(this.byKey.get(key) ?? []), sample]);
    }
  }

  /** Answers a second, with many at a time. */
  rate(stack: string, work: WorkName): Rounds {
    return this.of({ name: 'rate', crowding: 'crowd', pick: ({ rate }) => rate }, stack, work, 'whole');
  }

  /** Microseconds that the slowest hundredth takes, with many at a time. */
  p99(stack: string, work: WorkName): Rounds {
    return this.of({ name: 'p99', crowding: 'crowd', pick: ({ p99 }) => p99 }, stack, work, 'whole');
  }

  /** CPU a request, with many at a time; `all` of the roles that there are. */
  cpu(stack: string, work: WorkName, role: Role | 'all', kind: keyof Cpu | 'all', way: Way = 'whole'): Rounds {
    const measure: Measure = { name: `${role} ${kind}`, crowding: 'crowd', pick: ({ cpu }) => cpuIn(cpu, role, kind) };
    return this.of(measure, stack, work, way);
  }

  /** Microseconds that a lone request takes. */
  time(stack: string, work: WorkName, way: Way = 'whole'): Rounds {
    return this.of({ name: 'time', crowding: 'lone', pick: ({ p50 }) => p50 }, stack, work, way);
  }

  private of(measure: Measure, stack: string, work: WorkName, way: Way): Rounds {
    const rounds = pickRounds(this.byKey.get(keyOf(stack, work, measure.crowding, way)) ?? [], measure.pick);
    const variation = this.variationOf(measure, way);
    const level = rounds.size === 0 ? 0 : median([...rounds.values()]);
    return roundsWith(rounds, variation === undefined ? undefined : variation * Math.abs(level));
  }

  private variationOf({ name, crowding, pick }: Measure, way: Way): number | undefined {
    const key = `${name} ${way}`;
    if (!this.variations.has(key)) {
      const { stacks, works } = this.measured;
      const series = stacks.flatMap((stack) =>
        works.map((work) => pickRounds(this.byKey.get(keyOf(stack.name, work.name, crowding, way)) ?? [], pick)),
      );
      this.variations.set(key, pooledVariation(series));
    }
    return this.variations.get(key);
  }

  hop(hop: Hop, work: WorkName, pick: (sample: HopSample) => number): Rounds {
    const { hops } = this.measured;
    return partRounds(hops, ({ hop: of, work: name }) => `${hopName(of)} ${name}`, `${hopName(hop)} ${work}`, pick);
  }

  front(hop: Hop, work: WorkName, pick: (sample: FrontSample) => number): Rounds {
    const { fronts } = this.measured;
    return partRounds(fronts, ({ hop: of, work: name }) => `${hopName(of)} ${name}`, `${hopName(hop)} ${work}`, pick);
  }

  application(language: Stack['language'], work: WorkName, pick: 'time' | 'cpu'): Rounds {
    const { applications } = this.measured;
    return partRounds(
      applications,
      ({ language: of, work: name }) => `${of} ${name}`,
      `${language} ${work}`,
      (sample) => sample[pick],
    );
  }

  stack(name: string): Measured['stacks'][number] | undefined {
    return this.measured.stacks.find((stack) => stack.name === name);
  }

  work(name: WorkName): Work | undefined {
    return this.measured.works.find((work) => work.name === name);
  }
}

interface Measure {
  readonly name: string;
  readonly crowding: Crowding;
  readonly pick: (sample: Sample) => number | undefined;
}

function pickRounds(samples: readonly Sample[], pick: Measure['pick']): Map<number, number> {
  const rounds = new Map<number, number>();
  for (const sample of samples) {
    const value = pick(sample);
    if (value !== undefined) rounds.set(sample.round, value);
  }
  return rounds;
}

function keyOf(stack: string, work: WorkName, crowding: Crowding, way: Way): string {
  return [stack, work, crowding, way].join(' ');
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

/** Of the parts that have this name, with how all of their kind vary. */
function partRounds<S extends { readonly round: number }>(
  samples: readonly S[],
  nameOf: (sample: S) => string,
  name: string,
  pick: (sample: S) => number,
): Rounds {
  const byName = new Map<string, Map<number, number>>();
  for (const sample of samples) {
    const rounds = byName.get(nameOf(sample)) ?? new Map<number, number>();
    byName.set(nameOf(sample), rounds.set(sample.round, pick(sample)));
  }
  const rounds = byName.get(name) ?? new Map<number, number>();
  const variation = pooledVariation([...byName.values()]);
  const level = rounds.size === 0 ? 0 : Math.abs(median([...rounds.values()]));
  return roundsWith(rounds, variation === undefined ? undefined : variation * level);
}

/** The rows of a report, of what has been measured of each stack and work. */
export function rowsOf(samples: Samples): RowResult[] {
  const rows: RowResult[] = [];
  for (const { name: stack } of samples.measured.stacks) {
    for (const { name: work } of samples.measured.works) {
      const latency = figureOfRounds(samples.time(stack, work));
      const rate = figureOfRounds(samples.rate(stack, work));
      const p99 = figureOfRounds(samples.p99(stack, work));
      if (!latency || !rate || !p99) continue;
      rows.push({ stack, work, latency, rate, p99, cpu: cpuFigures(samples, stack, work) });
    }
  }
  return rows;
}

function cpuFigures(samples: Samples, stack: string, work: WorkName): RowResult['cpu'] {
  const figures: Partial<Record<Role, { user: Figure; system: Figure; all: Figure }>> = {};
  for (const role of ['front', 'app'] as const) {
    const [user, system, all] = (['user', 'system', 'all'] as const).map((kind) =>
      figureOfRounds(samples.cpu(stack, work, role, kind)),
    );
    if (user && system && all) figures[role] = { user, system, all };
  }
  return figures;
}
