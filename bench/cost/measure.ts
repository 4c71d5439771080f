/**
 * The work of a configuration per request. All its processes and the generator share one processor that is never idle,
 * as requests are outstanding at all times. So the elapsed time per request, minus the generator's own CPU, is the work
 * of all of them, including the kernel's, without relying on the system's attribution of CPU time.
 */
import { bindThreads } from '../placement.js';
import { warmUp } from '../warm-up.js';
import type { Configuration } from './configurations.js';
import type { Effort } from './effort.js';
import { describeFailures, LoadGenerator, type LoadFigures } from './load.js';
import type { RunningStack, StackPlace } from './model.js';
import type { Lane } from './sweeps.js';

/** Seconds of a slice: short, so that a sweep over all is finished before the host changes. */
export const SLICE_SECONDS = 0.05;
/** The usual concurrency in benchmarks of nginx and wrk: a server's capacity is judged at this load. */
export const CROWD = 32;
/** Requests outstanding. A single one causes all wake-ups by itself. */
export const LOADS = [1, CROWD] as const;
export type Outstanding = (typeof LOADS)[number];

export interface MeasuredConfiguration {
  readonly configuration: Configuration;
  readonly running: RunningStack;
  readonly lanes: readonly Lane[];
  /** A slice with one request at a time. */
  lone(): Promise<LoadFigures>;
  stop(): Promise<void>;
}

export function laneName({ name }: Configuration, outstanding: Outstanding): string {
  return `${name} @${String(outstanding)}`;
}

/** Starts it on a processor, warms it up and prepares a generator for each load. */
export async function prepare(
  configuration: Configuration,
  floor: string,
  core: number,
  { compiled, other }: Effort['warmUp'],
  context: StackPlace,
): Promise<MeasuredConfiguration> {
  const { name, work } = configuration;
  const { signal } = context;
  const running = await configuration.start(context);
  const generators: LoadGenerator[] = [];
  const stop = async (): Promise<void> => {
    for (const generator of generators) await generator.stop();
    await running.stop();
  };
  /** Returns a function that runs a stretch of that load. */
  const open = async (connections: number, seconds: number): Promise<() => Promise<LoadFigures>> => {
    const load = { connections, seconds };
    const generator = await LoadGenerator.open({ floor, target: running.target, work, load, signal, core });
    generators.push(generator);
    return async () => checked(name, await generator.stretch());
  };
  try {
    if (!bindThreads([...running.pids('front'), ...running.pids('app')], core)) {
      throw new Error(`${name}: not all of its processes could be bound to a processor`);
    }
    const limits = configuration.isCompiled ? compiled : other;
    const window = await open(CROWD, limits.window);
    await warmUp(async () => {
      const figures = await window();
      return { requests: figures.operations, cost: workOf(figures) };
    }, limits);
    const lone = await open(1, SLICE_SECONDS);
    const crowd = await open(CROWD, SLICE_SECONDS);
    return {
      ...{ configuration, running, stop, lone },
      lanes: [
        { name: laneName(configuration, 1), slice: async () => workOf(await lone()) },
        { name: laneName(configuration, CROWD), slice: async () => workOf(await crowd()) },
      ],
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Microseconds per request, without the generator's own CPU: the kernel's accounting of a whole process is exact. */
function workOf({ seconds, operations, clientCpu }: LoadFigures): number {
  return (seconds * 1e6 - clientCpu) / operations;
}

function checked(name: string, figures: LoadFigures): LoadFigures {
  const { begun, operations } = figures;
  if (operations > 0 && operations === begun) return figures;
  throw new Error(`${name}: of ${String(begun)} requests ${describeFailures(figures) || 'none ended'}`);
}
