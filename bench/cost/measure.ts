/** Measures a stack that runs, with one work: warm-up, a lone request at a time, many at a time. */
import { median } from '../statistics.js';
import { cpuBetween, cpuMissing, readCpu, type CpuReading } from './cpu.js';
import type { HostSpeed } from './host-speed.js';
import { describeFailures, LoadGenerator, type LoadFigures } from './load.js';
import type { Cpu, Load, Role, RunningStack, Sample, Stack, SystemCalls, Work, WorkName } from './model.js';
import { takeLoadedSlices } from './slices.js';
import { countSystemCalls, type CountOptions } from './system-calls.js';
import { warmUp, type WarmUpLimits, type WarmUpWindow } from './warm-up.js';

/** Of the slices with many requests at a time: what nginx and wrk are mostly shown with. */
export const CROWD = 32;
/** A slice with more failures than this share is no measurement. */
const FAILURES_BORNE = 0.01;
const ROLES: readonly Role[] = ['front', 'app'];
/** Those of which the layers are the most. */
export const MAIN_WORKS: readonly WorkName[] = ['hello', 'own'];
/** Whose code a compiler works on while it runs: V8 and Bun do, CPython does not, and Erlang's is through before. */
const COMPILED: readonly Stack['language'][] = ['node', 'other'];

export interface Timing {
  /** Of what a compiler has to get through with first. */
  readonly compiling: WarmUpLimits;
  readonly warmUp: WarmUpLimits;
  /** Seconds of a slice. */
  readonly slice: number;
  /** Of each generator, with a main work and with another. */
  readonly slices: { readonly main: number; readonly other: number };
}

/** V8 was seen to go on until the 100,000th request of a hello world or so. */
export const TIMING: Timing = {
  compiling: { window: 0.25, least: 100_000, longest: 8 },
  warmUp: { window: 0.1, least: 0, longest: 2 },
  slice: 0.1,
  slices: { main: 4, other: 2 },
};
export const QUICK_TIMING: Timing = {
  compiling: { window: 0.08, least: 0, longest: 0.8 },
  warmUp: { window: 0.05, least: 0, longest: 0.6 },
  slice: 0.08,
  slices: { main: 1, other: 1 },
};

export interface MeasureOptions {
  readonly floor: string;
  readonly timing: Timing;
  readonly host: Pick<HostSpeed, 'look'>;
  readonly signal: AbortSignal;
  /** Told what makes a number less trustworthy: `node-unix json: its requests were still becoming cheaper`. */
  onNote(note: string): void;
}

export class MeasureError extends Error {}

/** `isFirst`: its processes have just been started. Throws MeasureError where the stack did not answer as it should. */
export async function measureStack(
  stack: Pick<Stack, 'name' | 'language'>,
  running: RunningStack,
  work: Work,
  round: number,
  options: MeasureOptions & { readonly isFirst: boolean },
): Promise<Sample[]> {
  const measuring = new Measuring(stack, running, work, round, options);
  await measuring.warm(options.isFirst);
  return [await measuring.sample(1), await measuring.sample(CROWD)];
}

/** Loads it until its requests become no cheaper. */
export function warmStack(
  stack: Pick<Stack, 'name' | 'language'>,
  running: RunningStack,
  work: Work,
  options: MeasureOptions,
): Promise<void> {
  return new Measuring(stack, running, work, 0, options).warm(true);
}

/** Counts its system calls, of a lone request. Throws StraceError where they can't be counted. */
export async function countCalls(
  stack: Pick<Stack, 'name'>,
  running: RunningStack,
  work: Work,
  { strace, folder, ...options }: MeasureOptions & Pick<CountOptions, 'strace' | 'folder'>,
): Promise<SystemCalls> {
  const { floor, timing, signal } = options;
  const load = { kind: 'closed' as const, connections: 1, seconds: timing.slice };
  const generator = await LoadGenerator.open({ floor, target: running.target, work, load, signal });
  try {
    const pids = new Map(ROLES.map((role) => [role, running.pids(role)] as const).filter(([, own]) => own.length > 0));
    const calls = await countSystemCalls({ strace, folder, pids, generator, signal });
    return { stack: stack.name, work: work.name, calls };
  } finally {
    await generator.stop();
  }
}

/** One slice: what the generator saw, and the CPU of the roles. */
interface Slice {
  readonly figures: LoadFigures;
  readonly cpu: ReadonlyMap<Role, Cpu>;
}

/** All load on one stack with one work. */
class Measuring {
  private readonly stack: Pick<Stack, 'name' | 'language'>;
  private readonly running: RunningStack;
  private readonly work: Work;
  private readonly round: number;
  private readonly options: MeasureOptions;

  constructor(
    stack: Pick<Stack, 'name' | 'language'>,
    running: RunningStack,
    work: Work,
    round: number,
    options: MeasureOptions,
  ) {
    this.stack = stack;
    this.running = running;
    this.work = work;
    this.round = round;
    this.options = options;
  }

  async warm(isFirst: boolean): Promise<void> {
    const { compiling, warmUp: usual } = this.options.timing;
    const limits = isFirst && COMPILED.includes(this.stack.language) ? compiling : usual;
    const generator = await this.open(CROWD, limits.window);
    try {
      const { steady } = await warmUp(async () => costOf(await this.slice(generator)), limits);
      if (steady) return;
      const seconds = String(limits.longest);
      this.options.onNote(`${this.name()}: its requests were still becoming cheaper after ${seconds} s of load`);
    } finally {
      await generator.stop();
    }
  }

  async sample(connections: number): Promise<Sample> {
    const { timing, host } = this.options;
    const open = (): Promise<LoadGenerator> => this.open(connections, timing.slice);
    const { values, hostSpeed } = await takeLoadedSlices(host, slicesOf(timing, this.work), open, async (generator) => {
      const slice = await this.slice(generator);
      this.check(slice.figures);
      return slice;
    });
    return this.sampleOf(connections, values, hostSpeed);
  }

  private open(connections: number, seconds: number): Promise<LoadGenerator> {
    const { floor, signal } = this.options;
    const load = { kind: 'closed' as const, connections, seconds };
    return LoadGenerator.open({ floor, target: this.running.target, work: this.work, load, signal });
  }

  private async slice(generator: LoadGenerator): Promise<Slice> {
    const before = this.readings();
    const figures = await generator.stretch();
    const cpu = new Map<Role, Cpu>();
    for (const [role, reading] of this.readings()) cpu.set(role, cpuBetween(before.get(role) ?? new Map(), reading));
    return { figures, cpu };
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

  private sampleOf(connections: number, slices: readonly Slice[], hostSpeed: number): Sample {
    const figures = slices.map((slice) => slice.figures);
    const sum = (pick: (each: LoadFigures) => number): number => figures.reduce((total, each) => total + pick(each), 0);
    const requests = sum(({ begun }) => begun);
    const seconds = sum((each) => each.seconds);
    const load: Load = { kind: 'closed', connections, seconds };
    return {
      ...{ stack: this.stack.name, work: this.work.name, round: this.round, load },
      rate: sum(({ answered }) => answered) / seconds,
      p50: median(figures.map(({ p50 }) => p50)),
      p99: median(figures.map(({ p99 }) => p99)),
      ...{ errors: sum(({ errors }) => errors), requests, cpu: cpuARequest(slices, requests), hostSpeed },
      generatorShare: sum(({ cpu: { user, system } }) => user + system) / (seconds * 1e6),
    };
  }

  private name(): string {
    return `${this.stack.name} ${this.work.name}`;
  }
}

/** Of one generator. */
export function slicesOf({ slices }: Timing, { name }: Work): number {
  return MAIN_WORKS.includes(name) ? slices.main : slices.other;
}

/** Of a request, in CPU where there is such an account, else in time. */
function costOf({ figures: { begun, rate }, cpu }: Slice): WarmUpWindow {
  const all = [...cpu.values()].reduce((sum, { user, system }) => sum + user + system, 0);
  return { requests: begun, cost: all > 0 ? all / begun : 1 / rate };
}

function cpuARequest(slices: readonly Slice[], requests: number): Partial<Record<Role, Cpu>> {
  const roles: Partial<Record<Role, Cpu>> = {};
  for (const role of ROLES) {
    const all = slices.flatMap(({ cpu }) => cpu.get(role) ?? []);
    if (all.length === 0) continue;
    const total = (kind: keyof Cpu): number => all.reduce((sum, cpu) => sum + cpu[kind], 0);
    roles[role] = { user: total('user') / requests, system: total('system') / requests };
  }
  return roles;
}
