/** What a run has measured, and how a figure of it is asked for: by stack, work and load, round by round. */
import type { ApplicationSample, CallableLanguage } from './app-alone.js';
import { hopName, type HopSample } from './hop-alone.js';
import { figureOfRounds, type Rounds } from './interval.js';
import { CROWD, type Measurement, type Way } from './measure.js';
import type { Cpu, Figure, Hop, Role, RowResult, Sample, Stack, Work, WorkName } from './model.js';

/** A front before the plain C server, over one kind of hop: what it costs the front to have an app at all. */
export interface FrontSample {
  readonly hop: Hop;
  readonly work: WorkName;
  readonly round: number;
  /** Microseconds of a lone request. */
  readonly time: number;
  /** CPU a request with many at a time. */
  readonly front: Cpu;
}

export interface Measured {
  readonly stacks: readonly Pick<Stack, 'name' | 'title' | 'language' | 'hop'>[];
  readonly works: readonly Work[];
  readonly measurements: readonly Measurement[];
  readonly hops: readonly HopSample[];
  readonly fronts: readonly FrontSample[];
  readonly applications: readonly ApplicationSample[];
}

/** A request at a time, or many. */
export type Crowding = 'lone' | 'crowd';

/** How often the values of stacks and parts are looked up makes an index worth it: by its key, the rounds. */
export class Samples {
  readonly measured: Measured;
  private readonly byKey = new Map<string, Sample[]>();

  constructor(measured: Measured) {
    this.measured = measured;
    for (const { way, sample } of measured.measurements) {
      const crowding = crowdingOf(sample);
      if (crowding === undefined) continue;
      const key = keyOf(sample.stack, sample.work, crowding, way);
      this.byKey.set(key, [...(this.byKey.get(key) ?? []), sample]);
    }
  }

  /** A value of each round that has one. */
  of(
    stack: string,
    work: WorkName,
    crowding: Crowding,
    pick: (sample: Sample) => number | undefined,
    way: Way = 'whole',
  ): Rounds {
    const rounds = new Map<number, number>();
    for (const sample of this.byKey.get(keyOf(stack, work, crowding, way)) ?? []) {
      const value = pick(sample);
      if (value !== undefined) rounds.set(sample.round, value);
    }
    return rounds;
  }

  /** CPU a request, with many at a time; `all` of the roles that there are. */
  cpu(stack: string, work: WorkName, role: Role | 'all', kind: keyof Cpu | 'all', way: Way = 'whole'): Rounds {
    return this.of(stack, work, 'crowd', ({ cpu }) => cpuIn(cpu, role, kind), way);
  }

  /** Microseconds that a lone request takes. */
  time(stack: string, work: WorkName, way: Way = 'whole'): Rounds {
    return this.of(stack, work, 'lone', ({ p50 }) => p50, way);
  }

  hop(hop: Hop, work: WorkName, pick: (sample: HopSample) => number): Rounds {
    return roundsOf(
      this.measured.hops.filter((sample) => hopName(sample.hop) === hopName(hop) && sample.work === work),
      pick,
    );
  }

  front(hop: Hop, work: WorkName, pick: (sample: FrontSample) => number): Rounds {
    return roundsOf(
      this.measured.fronts.filter((sample) => hopName(sample.hop) === hopName(hop) && sample.work === work),
      pick,
    );
  }

  application(language: Stack['language'], work: WorkName, pick: 'time' | 'cpu'): Rounds {
    return roundsOf(
      this.measured.applications.filter((sample) => isOf(sample, language) && sample.work === work),
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

function isOf({ language }: { language: CallableLanguage }, other: Stack['language']): boolean {
  return language === other;
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

function roundsOf<S extends { readonly round: number }>(samples: readonly S[], pick: (sample: S) => number): Rounds {
  return new Map(samples.map((sample) => [sample.round, pick(sample)]));
}

/** The rows of a report, of what has been measured of each stack and work. */
export function rowsOf(samples: Samples): RowResult[] {
  const rows: RowResult[] = [];
  for (const { name: stack } of samples.measured.stacks) {
    for (const { name: work } of samples.measured.works) {
      const latency = figureOfRounds(samples.time(stack, work));
      const rate = figureOfRounds(samples.of(stack, work, 'crowd', (sample) => sample.rate));
      const p99 = figureOfRounds(samples.of(stack, work, 'crowd', (sample) => sample.p99));
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
