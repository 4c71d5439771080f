/** Three blocks of sweeps, each with new processes, over all configurations of the chains and their changes. */
import { isAborted } from '../aborted.js';
import { allowedCores, bindThreads } from '../../placement.js';
import { NothingToRun, type RunControl } from '../../run.js';
import type { Processes } from '../processes.js';
import type { StackContext } from '../stacks/index.js';
import type { Chain, Change, Configuration } from './configurations.js';
import type { Effort } from './effort.js';
import type { Blocks } from './estimate.js';
import { prepare, type MeasuredConfiguration } from './measure.js';
import { LayersProgress } from './progress.js';
import { sweep } from './sweeps.js';

export interface LayersPlan {
  readonly chains: readonly Chain[];
  readonly changes: readonly Change[];
}

/** Microseconds a request, by lane (see `laneName`), block by block and sweep by sweep. */
export type LayerSamples = ReadonlyMap<string, Blocks>;

export interface LayersRun {
  readonly samples: LayerSamples;
  /** What a lone user waits on two processors, microseconds, by configuration: of fronts alone and of wholes. */
  readonly waits: LayerSamples;
  /** Of configurations that could not be started or did not answer as they should: they have no samples. */
  readonly failures: ReadonlyMap<string, string>;
}

export interface LayersOptions extends Pick<RunControl, 'signal' | 'onProgress'> {
  readonly floor: string;
  readonly effort: Effort;
  readonly context: StackContext & { readonly processes: Processes };
  /** Told what there is so far behind each block but the last; answers what the display says from then on. */
  onBlock(run: LayersRun): string;
}

export function configurationsOf({ chains, changes }: LayersPlan): Configuration[] {
  const all = [
    ...chains.flatMap(({ steps }) => steps.map(({ configuration }) => configuration)),
    ...changes.map(({ configuration }) => configuration),
  ];
  return [...new Map(all.map((configuration) => [configuration.name, configuration])).values()];
}

/** Ends early, with whole sweeps, when the signal is aborted; throws its reason if there is none by then. */
export async function runLayers(plan: LayersPlan, options: LayersOptions): Promise<LayersRun> {
  const cores = allowedCores();
  const core = cores.at(-1);
  if (core === undefined) {
    throw new NothingToRun(['this system does not bind processes to processors, on which the measure stands']);
  }
  const { effort, signal, onBlock } = options;
  const others = cores.slice(0, -1);
  const run = new Run(plan, { core, other: others.at(-1) }, options);
  // This process, which only waits, is not to wake up among those that are measured.
  if (others.length > 0) bindThreads([process.pid], ...others);
  try {
    for (let block = 0; block < effort.blocks && !isAborted(signal); block++) {
      await run.block(block);
      if (block < effort.blocks - 1) run.progress.say(onBlock(run));
    }
  } finally {
    bindThreads([process.pid], ...cores);
  }
  if (run.samples.size === 0) signal.throwIfAborted();
  return run;
}

interface Cores {
  /** Of all processes of a configuration. */
  readonly core: number;
  /** Another one, if there is. */
  readonly other: number | undefined;
}

class Run implements LayersRun {
  readonly progress: LayersProgress;
  readonly failures = new Map<string, string>();
  readonly samples = new Map<string, (readonly number[])[]>();
  readonly waits = new Map<string, (readonly number[])[]>();
  private readonly configurations: readonly Configuration[];
  private readonly awaited: ReadonlySet<Configuration | undefined>;
  private readonly cores: Cores;
  private readonly options: LayersOptions;

  constructor(plan: LayersPlan, cores: Cores, options: LayersOptions) {
    this.configurations = configurationsOf(plan);
    this.awaited = new Set(plan.chains.flatMap(({ steps }) => [steps[1]?.configuration, steps.at(-1)?.configuration]));
    this.cores = cores;
    this.options = options;
    this.progress = new LayersProgress(this.configurations.length, options.effort, options.onProgress);
  }

  async block(block: number): Promise<void> {
    const { signal, effort } = this.options;
    const measured: MeasuredConfiguration[] = [];
    try {
      for (const configuration of this.configurations) {
        if (isAborted(signal)) return;
        this.progress.starts(block, configuration.name);
        const ready = this.failures.has(configuration.name) ? undefined : await this.start(configuration);
        if (ready) measured.push(ready);
        this.progress.started();
      }
      const owners = new Map(
        measured.flatMap(({ configuration, lanes }) => lanes.map(({ name }) => [name, configuration])),
      );
      const values = await sweep(
        measured.flatMap(({ lanes }) => lanes),
        {
          ...{ sweeps: effort.sweeps, from: block * effort.sweeps, signal },
          onSweep: () => {
            this.progress.swept(block);
          },
          onFailure: (lane, error) => {
            this.fails(owners.get(lane)?.name ?? lane, error);
          },
        },
      );
      this.add(values, owners);
      await this.wait(measured);
    } finally {
      for (const { stop } of measured) await stop();
    }
  }

  /** undefined: it has failed. */
  private async start(configuration: Configuration): Promise<MeasuredConfiguration | undefined> {
    const { floor, context, signal, effort } = this.options;
    try {
      const folder = context.processes.makeFolder();
      const running = await configuration.start({ ...context, folder }, floor);
      return await prepare(configuration, running, { floor, core: this.cores.core, signal, warmUp: effort.warmUp });
    } catch (error) {
      if (!isAborted(signal)) this.fails(configuration.name, error);
      return undefined;
    }
  }

  private async wait(measured: readonly MeasuredConfiguration[]): Promise<void> {
    const { other } = this.cores;
    for (const { configuration, waits } of measured) {
      const { name } = configuration;
      if (other === undefined || !this.awaited.has(configuration) || this.failures.has(name)) continue;
      if (isAborted(this.options.signal)) return;
      try {
        append(this.waits, name, await waits(other));
      } catch (error) {
        if (!isAborted(this.options.signal)) this.fails(name, error);
      }
    }
  }

  private fails(configuration: string, error: unknown): void {
    this.failures.set(configuration, error instanceof Error ? error.message : String(error));
  }

  /** Of what has failed earlier blocks are no good either: they would stand beside fewer. */
  private add(values: ReadonlyMap<string, number[]>, owners: ReadonlyMap<string, Configuration>): void {
    for (const [lane, own] of values) if (own.length > 0) append(this.samples, lane, own);
    for (const lane of [...this.samples.keys()]) {
      const owner = owners.get(lane)?.name;
      if (owner === undefined || this.failures.has(owner)) this.samples.delete(lane);
    }
  }
}

function append(to: Map<string, (readonly number[])[]>, key: string, block: readonly number[]): void {
  to.set(key, [...(to.get(key) ?? []), block]);
}
