/** Measures a stack that runs, with one work: warm-up, a lone request at a time, many at a time, the app by itself. */
import { cpuBetween, cpuMissing, readCpu, type CpuReading } from './cpu.js';
import { describeFailures, LoadGenerator, type LoadFigures, type Speech } from './load.js';
import type { Cpu, Load, Measurement, Role, RunningStack, Sample, Stack, Target, Way, Work } from './model.js';
import { warmUp } from './warm-up.js';

/** Of the stretch with many requests at a time: what nginx and wrk are mostly shown with. */
export const CROWD = 32;
/** A stretch with more failures than this share is no measurement. */
const FAILURES_BORNE = 0.01;
const ROLES: readonly Role[] = ['front', 'app'];

/** Seconds. */
export interface Timing {
  readonly window: number;
  readonly longestWarmUp: number;
  readonly lone: number;
  readonly crowd: number;
}

export const TIMING: Timing = { window: 0.1, longestWarmUp: 2.5, lone: 0.2, crowd: 0.4 };
export const QUICK_TIMING: Timing = { window: 0.1, longestWarmUp: 1, lone: 0.15, crowd: 0.25 };

export interface MeasureOptions {
  readonly floor: string;
  readonly timing: Timing;
  /** Whether the app is loaded directly too, where that can be. */
  readonly direct: boolean;
  readonly signal: AbortSignal;
  /** Told what makes a number less trustworthy: `node-unix json: still rising after 3 s`. */
  onNote(note: string): void;
}

export class MeasureError extends Error {}

/** Throws MeasureError where the stack did not answer as it should. */
export async function measureStack(
  stack: Pick<Stack, 'name' | 'hop'>,
  running: RunningStack,
  work: Work,
  round: number,
  options: MeasureOptions,
): Promise<Measurement[]> {
  const { timing } = options;
  const measurements: Measurement[] = [];
  const loads: readonly Load[] = [
    { kind: 'closed', connections: 1, seconds: timing.lone },
    { kind: 'closed', connections: CROWD, seconds: timing.crowd },
  ];
  for (const { way, target, speech } of waysOf(stack, running, options.direct)) {
    const stretches = new Stretches(stack, running, work, round, { ...options, target, speech });
    // The direct way comes second, and the app is warm by then.
    if (way === 'whole') await stretches.warm();
    for (const load of loads) measurements.push({ way, sample: await stretches.sample(load) });
  }
  return measurements;
}

/** Loads it until its rate rises no more. */
export function warmStack(
  stack: Pick<Stack, 'name'>,
  running: RunningStack,
  work: Work,
  options: MeasureOptions,
): Promise<void> {
  return new Stretches(stack, running, work, 0, { ...options, target: running.target }).warm();
}

/** How the load reaches a stack: as a whole, and its app by itself where the generator speaks what the front speaks. */
function waysOf(
  { hop }: Pick<Stack, 'hop'>,
  { target, hopTarget }: RunningStack,
  direct: boolean,
): { way: Way; target: Target; speech?: Speech }[] {
  const whole = { way: 'whole' as const, target };
  // mod_wsgi's own protocol is nobody else's.
  if (!direct || !hop || !hopTarget || hop.protocol === 'mod_wsgi') return [whole];
  const speech = { protocol: hop.protocol, connections: hop.connections };
  return [whole, { way: 'direct', target: hopTarget, speech }];
}

interface StretchOptions extends MeasureOptions {
  readonly target: Target;
  readonly speech?: Speech | undefined;
}

/** The stretches of load on one target of one stack. */
class Stretches {
  private readonly stack: Pick<Stack, 'name'>;
  private readonly running: RunningStack;
  private readonly work: Work;
  private readonly round: number;
  private readonly options: StretchOptions;

  constructor(stack: Pick<Stack, 'name'>, running: RunningStack, work: Work, round: number, options: StretchOptions) {
    this.stack = stack;
    this.running = running;
    this.work = work;
    this.round = round;
    this.options = options;
  }

  async warm(): Promise<void> {
    const { window, longestWarmUp } = this.options.timing;
    const generator = await this.open({ kind: 'closed', connections: CROWD, seconds: window });
    try {
      const { steady } = await warmUp(async () => (await generator.stretch()).rate, { window, longest: longestWarmUp });
      if (steady) return;
      this.options.onNote(`${this.name()}: its rate was still rising after ${String(longestWarmUp)} s of load`);
    } finally {
      await generator.stop();
    }
  }

  async sample(load: Load): Promise<Sample> {
    const generator = await this.open(load);
    try {
      const before = this.readings();
      const figures = await generator.stretch();
      const after = this.readings();
      this.check(figures);
      return this.sampleOf(load, figures, before, after);
    } finally {
      await generator.stop();
    }
  }

  private open(load: Load): Promise<LoadGenerator> {
    const { floor, target, speech, signal } = this.options;
    return LoadGenerator.open({ floor, target, work: this.work, load, signal, ...(speech ? { speech } : {}) });
  }

  private readings(): ReadonlyMap<Role, CpuReading> {
    if (cpuMissing() !== undefined) return new Map();
    return new Map(
      ROLES.map((role) => [role, this.running.pids(role)] as const)
        .filter(([, pids]) => pids.length > 0)
        .map(([role, pids]) => [role, readCpu(pids)]),
    );
  }

  private check({ begun, answered, failures }: LoadFigures): void {
    if (answered > 0 && begun - answered <= begun * FAILURES_BORNE) return;
    throw new MeasureError(
      `${this.name()}: of ${String(begun)} requests ${describeFailures(failures) || 'none ended'}`,
    );
  }

  private sampleOf(
    load: Load,
    figures: LoadFigures,
    before: ReadonlyMap<Role, CpuReading>,
    after: ReadonlyMap<Role, CpuReading>,
  ): Sample {
    const { begun, rate, p50, p99, errors, seconds, cpu } = figures;
    const roles: Partial<Record<Role, Cpu>> = {};
    for (const [role, reading] of after) {
      const { user, system } = cpuBetween(before.get(role) ?? new Map(), reading);
      roles[role] = { user: user / begun, system: system / begun };
    }
    return {
      ...{ stack: this.stack.name, work: this.work.name, round: this.round, load },
      ...{ rate, p50, p99, errors, requests: begun, cpu: roles },
      generatorShare: (cpu.user + cpu.system) / (seconds * 1e6),
    };
  }

  private name(): string {
    return `${this.stack.name} ${this.work.name}`;
  }
}
