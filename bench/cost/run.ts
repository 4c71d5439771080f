/** Three blocks of sweeps, each with new processes, over all configurations of the chains and their changes. */
import { isAborted } from './aborted.js';
import { allowedCores, bindThreads, findPlacement } from '../placement.js';
import { PeerError } from '../peer.js';
import { NothingToRun, type RunControl } from '../run.js';
import type { Processes } from './processes.js';
import type { StackContext } from './stacks/index.js';
import type { Configuration } from './configurations.js';
import type { Effort } from './effort.js';
import type { Blocks } from './estimate.js';
import { laneName, LOADS, prepare, SLICE_SECONDS, type MeasuredConfiguration } from './measure.js';
import { CostProgress } from './progress.js';
import type { CostPlan } from './plan.js';
import { sweep } from './sweeps.js';
import { StraceError, type SystemCalls } from './system-calls.js';

/** Of a block, behind its sweeps: a lone user's waiting, and the servers' ends. */
const END_SECONDS = 3;

/** Microseconds a request, by lane (see `laneName`), block by block and sweep by sweep. */
export type Samples = ReadonlyMap<string, Blocks>;

export interface CostRun {
  readonly samples: Samples;
  /** What a lone user waits on two processors, microseconds, by configuration: of fronts alone and of wholes. */
  readonly waits: Samples;
  /** System calls a request, where strace may count them: by configuration. */
  readonly calls: ReadonlyMap<string, SystemCalls>;
  /** Of configurations that could not be started or did not answer as they should: they have no samples. */
  readonly failures: ReadonlyMap<string, string>;
}

export interface RunOptions extends Pick<RunControl, 'signal' | 'onProgress'> {
  readonly floor: string;
  readonly effort: Effort;
  readonly context: StackContext & { readonly processes: Processes };
  /** Told what there is so far behind each block but the last; answers what the display says from then on. */
  onBlock(run: CostRun): string;
}

export function configurationsOf({ chains, changes }: CostPlan): Configuration[] {
  const all = [
    ...chains.flatMap(({ steps }) => steps.map(({ configuration }) => configuration)),
    ...changes.map(({ configuration }) => configuration),
  ];
  return [...new Map(all.map((configuration) => [configuration.name, configuration])).values()];
}

/** Ends early, with whole sweeps, when the signal is aborted; throws its reason if there is none by then. */
export async function runPlan(plan: CostPlan, options: RunOptions): Promise<CostRun> {
  const { reason } = findPlacement();
  const cores = allowedCores();
  const core = cores.at(-1);
  if (core === undefined) {
    throw new NothingToRun([`all processes of a stack are to share a processor, and ${reason ?? 'none may be used'}`]);
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

class Run implements CostRun {
  readonly progress: CostProgress;
  readonly failures = new Map<string, string>();
  readonly samples = new Map<string, (readonly number[])[]>();
  readonly waits = new Map<string, (readonly number[])[]>();
  readonly calls = new Map<string, SystemCalls>();
  private readonly configurations: readonly Configuration[];
  private readonly awaited: ReadonlySet<Configuration | undefined>;
  private readonly servers: ReadonlySet<Configuration>;
  private readonly begun = performance.now();
  private swept = 0;
  private readonly cores: Cores;
  private readonly options: RunOptions;

  constructor(plan: CostPlan, cores: Cores, options: RunOptions) {
    this.configurations = configurationsOf(plan);
    const steps = plan.chains.flatMap((chain) => chain.steps);
    const fronts = steps.filter(({ layer }) => layer === 'front').map(({ configuration }) => configuration);
    this.awaited = new Set([...fronts, ...plan.chains.map((chain) => chain.steps.at(-1)?.configuration)]);
    this.servers = new Set(steps.filter(({ layer }) => layer === 'server').map(({ configuration }) => configuration));
    this.cores = cores;
    this.options = options;
    this.progress = new CostProgress(this.configurations.length, options.effort, options.onProgress);
  }

  async block(block: number): Promise<void> {
    const { signal } = this.options;
    const measured: MeasuredConfiguration[] = [];
    const begun = performance.now();
    try {
      for (const configuration of this.configurations) {
        if (isAborted(signal)) return;
        this.progress.starts(block, configuration.name);
        const ready = this.failures.has(configuration.name) ? undefined : await this.start(configuration);
        if (ready) measured.push(ready);
        this.progress.started();
      }
      await this.sweepAll(block, measured, (performance.now() - begun) / 1e3);
      await this.wait(measured);
      if (block === this.options.effort.blocks - 1) await this.countCalls(measured);
    } finally {
      for (const { stop } of measured) await stop();
    }
  }

  /** `startSeconds`: what the start of a block takes. */
  private async sweepAll(
    block: number,
    measured: readonly MeasuredConfiguration[],
    startSeconds: number,
  ): Promise<void> {
    const lanes = measured.flatMap((each) => each.lanes);
    const owners = new Map(measured.flatMap((each) => each.lanes.map(({ name }) => [name, each.configuration])));
    const sweeps = this.sweepsOf(block, lanes.length, startSeconds);
    this.progress.willSweep(block, sweeps);
    const values = await sweep(lanes, {
      ...{ sweeps, from: this.swept, signal: this.options.signal },
      onSweep: () => {
        this.progress.swept(block);
      },
      onFailure: (lane, error) => {
        this.fails(owners.get(lane)?.name ?? lane, error);
      },
    });
    this.swept += sweeps;
    this.add(values);
  }

  /** As many as there is time for, so that the blocks to come get as many. */
  private sweepsOf(block: number, lanes: number, startSeconds: number): number {
    const { blocks, seconds, sweeps } = this.options.effort;
    const blocksLeft = blocks - block;
    const left = seconds - (performance.now() - this.begun) / 1e3 - (blocksLeft - 1) * startSeconds;
    const ours = left / blocksLeft - END_SECONDS;
    return Math.max(sweeps.least, Math.min(sweeps.most, Math.floor(ours / (lanes * SLICE_SECONDS))));
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

  /** Of a chain's server with an application that does nothing, whose own calls would be among them. */
  private async countCalls(measured: readonly MeasuredConfiguration[]): Promise<void> {
    const { context, signal } = this.options;
    const strace = context.programs.get('strace')?.file;
    for (const { configuration, countCalls } of measured) {
      if (strace === undefined || !this.servers.has(configuration) || this.failures.has(configuration.name)) continue;
      if (isAborted(signal)) return;
      try {
        this.calls.set(configuration.name, await countCalls(strace, context.processes.makeFolder()));
      } catch (error) {
        // It is a figure beside the others, which are not to be lost for it, and strace may be forbidden here.
        if (isAborted(signal)) return;
        if (!(error instanceof StraceError || error instanceof PeerError)) throw error;
      }
    }
  }

  private fails(configuration: string, error: unknown): void {
    this.failures.set(configuration, error instanceof Error ? error.message : String(error));
  }

  /** Of what has failed earlier blocks are no good either: they would stand beside fewer. */
  private add(values: ReadonlyMap<string, number[]>): void {
    for (const [lane, own] of values) if (own.length > 0) append(this.samples, lane, own);
    for (const configuration of this.configurations.filter(({ name }) => this.failures.has(name))) {
      for (const outstanding of LOADS) this.samples.delete(laneName(configuration, outstanding));
    }
  }
}

function append(to: Map<string, (readonly number[])[]>, key: string, block: readonly number[]): void {
  to.set(key, [...(to.get(key) ?? []), block]);
}
