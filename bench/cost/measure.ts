/**
 * A configuration's work for a request: all its processes and the generator share one processor, on which nobody ever waits,
 * as requests are outstanding at all times. So the time that passes for each request, less the generator's own, is the work
 * of all of them, the kernel's included: no account of the system's has to tell whose it is.
 */
import { bindThreads } from '../placement.js';
import { warmUp } from '../warm-up.js';
import type { Configuration } from './configurations.js';
import type { Effort } from './effort.js';
import { describeFailures, LoadGenerator, type LoadFigures } from './load.js';
import type { RunningStack, StackPlace } from './model.js';
import type { Lane } from './sweeps.js';

/** Seconds of a slice: short, so that a sweep over all is through before the host changes. */
export const SLICE_SECONDS = 0.05;
/** What nginx and wrk are mostly shown with: by this load a server's capacity is judged. */
export const CROWD = 32;
/** Requests outstanding. A lone one has every wake-up to itself. */
export const LOADS = [1, CROWD] as const;
export type Outstanding = (typeof LOADS)[number];

export interface MeasuredConfiguration {
  readonly configuration: Configuration;
  readonly running: RunningStack;
  readonly lanes: readonly Lane[];
  /** A slice of one request at a time. */
  lone(): Promise<LoadFigures>;
  stop(): Promise<void>;
}

export function laneName({ name }: Configuration, outstanding: Outstanding): string {
  return `${name} @${String(outstanding)}`;
}

/** Starts it on a processor, warms it up and has a generator for each load ready. */
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
  /** Answers what has a stretch of that load. */
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

/** Microseconds a request, without what the generator itself has used: the kernel's account of a process as a whole is exact. */
function workOf({ seconds, operations, clientCpu }: LoadFigures): number {
  return (seconds * 1e6 - clientCpu) / operations;
}

function checked(name: string, figures: LoadFigures): LoadFigures {
  const { begun, operations } = figures;
  if (operations > 0 && operations === begun) return figures;
  throw new Error(`${name}: of ${String(begun)} requests ${describeFailures(figures) || 'none ended'}`);
}
