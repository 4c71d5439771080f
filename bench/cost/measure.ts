/**
 * A configuration's work for a request: all its processes and the generator share one processor, on which nobody ever waits,
 * as requests are outstanding at all times. So the time that passes for each request, less the generator's own, is the work
 * of all of them, the kernel's included: no account of the system's has to tell whose it is.
 */
import { bindThreads } from '../placement.js';
import { describeFailures, LoadGenerator, type LoadFigures } from './load.js';
import type { Configuration, Running } from './configurations.js';
import type { Lane } from './sweeps.js';
import type { Effort } from './effort.js';
import { countSystemCalls, type SystemCalls } from './system-calls.js';
import { warmUp } from '../warm-up.js';

/** Seconds of a slice: short, so that a sweep over all is through before the host changes. */
export const SLICE_SECONDS = 0.05;
/** Of a lone user's waiting. */
const WAIT_SLICES = 10;
/** What nginx and wrk are mostly shown with: by this load a server's capacity is judged. */
export const CROWD = 32;
/** Requests outstanding. A lone one has every wake-up to itself. */
export const LOADS = [1, CROWD] as const;
export type Outstanding = (typeof LOADS)[number];

/** Could be started, and does not answer as it should. */
export class MeasureError extends Error {}

export interface MeasuredConfiguration {
  readonly configuration: Configuration;
  readonly lanes: readonly Lane[];
  /**
   * What a lone user waits when the application has a processor of its own: microseconds, of each of some slices the median.
   * The application stays there.
   */
  waits(core: number): Promise<number[]>;
  /** Calls a request by their names, of each role. Throws StraceError where they can't be counted. */
  countCalls(strace: string, folder: string): Promise<SystemCalls>;
  stop(): Promise<void>;
}

export interface MeasureContext {
  readonly floor: string;
  /** The processor of all of a configuration's processes. */
  readonly core: number;
  readonly warmUp: Effort['warmUp'];
  readonly signal: AbortSignal;
}

export function laneName({ name }: Configuration, outstanding: Outstanding): string {
  return `${name} @${String(outstanding)}`;
}

/** Binds it, warms it up and has a generator for each load ready. `running` is stopped with it, or where this fails. */
export async function prepare(
  configuration: Configuration,
  running: Running,
  { floor, core, signal, warmUp: { compiled, other } }: MeasureContext,
): Promise<MeasuredConfiguration> {
  const generators: LoadGenerator[] = [];
  const stop = async (): Promise<void> => {
    for (const generator of generators) await generator.stop();
    await running.stop();
  };
  const open = async (outstanding: number, seconds: number): Promise<LoadGenerator> => {
    const { target } = running;
    const load = { kind: 'closed' as const, connections: outstanding, seconds };
    const generator = await LoadGenerator.open({ floor, target, work: configuration.work, load, signal, core });
    generators.push(generator);
    return generator;
  };
  try {
    if (!bindThreads([...running.pids('front'), ...running.pids('app')], core)) {
      throw new MeasureError(`${configuration.name}: not all of its processes could be bound to a processor`);
    }
    const limits = configuration.isCompiled ? compiled : other;
    const warming = await open(CROWD, limits.window);
    await warmUp(async () => {
      const figures = checked(configuration, await warming.stretch());
      return { requests: figures.answered, cost: workOf(figures) };
    }, limits);
    const lone = await open(1, SLICE_SECONDS);
    const crowd = await open(CROWD, SLICE_SECONDS);
    const lanes = [lone, crowd].map((generator, i) => ({
      name: laneName(configuration, LOADS[i] ?? CROWD),
      slice: async () => workOf(checked(configuration, await generator.stretch())),
    }));
    const waits = async (other: number): Promise<number[]> => {
      bindThreads(running.pids('app'), other);
      const medians: number[] = [];
      for (let i = 0; i < WAIT_SLICES; i++) medians.push(checked(configuration, await lone.stretch()).p50);
      return medians;
    };
    const countCalls = (strace: string, folder: string): Promise<SystemCalls> => {
      const pids = new Map((['front', 'app'] as const).map((role) => [role, running.pids(role)]));
      return countSystemCalls({ strace, folder, pids, generator: lone, signal });
    };
    return { configuration, lanes, waits, countCalls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Microseconds a request, without what the generator itself has used: the kernel's account of a process as a whole is exact. */
function workOf({ seconds, answered, cpu }: LoadFigures): number {
  return (seconds * 1e6 - cpu.user - cpu.system) / answered;
}

function checked({ name }: Configuration, figures: LoadFigures): LoadFigures {
  const { begun, answered, failures } = figures;
  if (answered > 0 && answered === begun) return figures;
  throw new MeasureError(`${name}: of ${String(begun)} requests ${describeFailures(failures) || 'none ended'}`);
}
