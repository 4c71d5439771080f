/** Three blocks of sweeps, each with new processes, over all configurations of the chains and their changes. */
import { quantileOf } from '../histogram.js';
import { bindThreads } from '../placement.js';
import type { RunControl } from '../run.js';
import { isAborted } from './aborted.js';
import type { Configuration } from './configurations.js';
import type { Effort } from './effort.js';
import type { Blocks } from './estimate.js';
import { laneName, LOADS, prepare, SLICE_SECONDS, type MeasuredConfiguration } from './measure.js';
import type { StackPlace } from './model.js';
import type { CostPlan } from './plan.js';
import { sweep } from './sweeps.js';
import { countSystemCalls, type SystemCalls } from './system-calls.js';

/** Seconds of a block after its sweeps: single requests for the waiting time, and stopping the servers. */
const END_SECONDS = 3;
/** For the waiting time of single requests. */
const WAIT_SLICES = 10;

/** Microseconds per request, by lane (see `laneName`), block by block and sweep by sweep. */
export type Samples = ReadonlyMap<string, Blocks>;

export interface CostRun {
  readonly samples: Samples;
  /**
   * The latency of a single request on two processors, in microseconds, by configuration: for reverse proxies alone and
   * for wholes.
   */
  readonly waits: Samples;
  /** System calls per request, if strace is allowed to count them: by configuration. */
  readonly calls: ReadonlyMap<string, SystemCalls>;
  /** Configurations that could not be started or responded incorrectly: they have no samples. */
  readonly failures: ReadonlyMap<string, string>;
}

export interface RunOptions extends Pick<RunControl, 'signal' | 'onProgress'> {
  readonly floor: string;
  readonly effort: Effort;
  readonly context: StackPlace;
  /** The allowed processors, at least one: the last is for all processes of a configuration. */
  readonly cores: readonly number[];
  /** Called with the results so far after each block but the last; returns the text to display from then on. */
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
  const { effort, signal } = options;
  const run = new Run(plan, options);
  for (let block = 0; block < effort.blocks && !isAborted(signal); block++) await run.block(block);
  if (run.samples.size === 0) signal.throwIfAborted();
  return run;
}

class Run implements CostRun {
  readonly failures = new Map<string, string>();
  readonly samples = new Map<string, (readonly number[])[]>();
  readonly waits = new Map<string, (readonly number[])[]>();
  readonly calls = new Map<string, SystemCalls>();
  private readonly configurations: readonly Configuration[];
  private readonly begun = performance.now();
  /** Sweeps per block, as far as is known. */
  private sweeps: number;
  private swept = 0;
  private interim = '';

  constructor(
    private readonly plan: CostPlan,
    private readonly options: RunOptions,
  ) {
    this.configurations = configurationsOf(plan);
    this.sweeps = options.effort.sweeps.most;
  }

  async block(block: number): Promise<void> {
    const { floor, context, signal, effort, cores, onBlock } = this.options;
    const measured: MeasuredConfiguration[] = [];
    const begun = performance.now();
    const others = cores.slice(0, -1);
    try {
      for (const [i, configuration] of this.configurations.entries()) {
        if (isAborted(signal)) return;
        this.tell(block, i, `starts ${configuration.name}`);
        await this.attempt(configuration, async () => {
          measured.push(await prepare(configuration, floor, cores.at(-1) ?? 0, effort.warmUp, context));
        });
      }
      this.sweeps = this.sweepsOf(block, 2 * measured.length, (performance.now() - begun) / 1e3);
      // This process, which only waits, must not wake up among those being measured.
      if (others.length > 0) bindThreads([process.pid], ...others);
      await this.sweepAll(block, measured);
      await this.wait(measured, others.at(-1));
      if (block === effort.blocks - 1) await this.countCalls(measured);
      else this.interim = onBlock(this);
    } finally {
      bindThreads([process.pid], ...cores);
      for (const { stop } of measured) await stop();
    }
  }

  private async sweepAll(block: number, measured: readonly MeasuredConfiguration[]): Promise<void> {
    const lanes = measured.flatMap((each) => each.lanes);
    const owners = new Map(measured.flatMap((each) => each.lanes.map(({ name }) => [name, each.configuration.name])));
    let done = this.configurations.length;
    const values = await sweep(lanes, {
      ...{ sweeps: this.sweeps, from: this.swept, signal: this.options.signal },
      onSweep: () => {
        this.tell(block, ++done, 'sweeps');
      },
      onFailure: (lane, error) => {
        this.fails(owners.get(lane) ?? lane, error);
      },
    });
    this.swept += this.sweeps;
    for (const [lane, own] of values) if (own.length > 0) append(this.samples, lane, own);
    // Earlier blocks of a failed configuration are dropped as well: it would have fewer than the others.
    for (const configuration of this.configurations.filter(({ name }) => this.failures.has(name))) {
      for (const outstanding of LOADS) this.samples.delete(laneName(configuration, outstanding));
    }
  }

  /**
   * As many as there is time for, while later blocks get the same number. `startSeconds`: the duration of a block's
   * start.
   */
  private sweepsOf(block: number, lanes: number, startSeconds: number): number {
    const { blocks, seconds, sweeps } = this.options.effort;
    const blocksLeft = blocks - block;
    const left = seconds - (performance.now() - this.begun) / 1e3 - (blocksLeft - 1) * startSeconds;
    const ours = left / blocksLeft - END_SECONDS;
    return Math.max(sweeps.least, Math.min(sweeps.most, Math.floor(ours / (lanes * SLICE_SECONDS))));
  }

  /**
   * The latency of single requests for reverse proxies alone and for wholes: the median of each of some slices. The
   * application is on another processor, if there is one, and stays there.
   */
  private async wait(measured: readonly MeasuredConfiguration[], other: number | undefined): Promise<void> {
    if (other === undefined) return;
    const awaited = this.plan.chains.flatMap(({ steps }) => [
      ...steps.filter(({ layer }) => layer === 'front'),
      ...steps.slice(-1),
    ]);
    for (const { configuration, running, lone } of ofSteps(measured, awaited)) {
      await this.attempt(configuration, async () => {
        bindThreads(running.pids('app'), other);
        const medians: number[] = [];
        for (let i = 0; i < WAIT_SLICES; i++) medians.push(quantileOf((await lone()).latency, 0.5));
        append(this.waits, configuration.name, medians);
      });
    }
  }

  /** With an application that does nothing, whose own calls would be counted too: only for chains' servers. */
  private async countCalls(measured: readonly MeasuredConfiguration[]): Promise<void> {
    const { context, signal } = this.options;
    const strace = context.programs.get('strace')?.file;
    if (strace === undefined) return;
    const servers = this.plan.chains.flatMap(({ steps }) => steps.filter(({ layer }) => layer === 'server'));
    for (const { configuration, running, lone } of ofSteps(measured, servers)) {
      if (isAborted(signal) || this.failures.has(configuration.name)) continue;
      try {
        const folder = context.processes.makeFolder();
        const ask = async (): Promise<number> => (await lone()).begun;
        this.calls.set(configuration.name, await countSystemCalls(strace, folder, running, ask, signal));
      } catch {
        // Strace may not be permitted here, and this secondary figure must not cost the others.
      }
    }
  }

  /** Skips configurations that have failed, and does nothing after an abort. */
  private async attempt({ name }: Configuration, work: () => Promise<void>): Promise<void> {
    const { signal } = this.options;
    if (isAborted(signal) || this.failures.has(name)) return;
    try {
      await work();
    } catch (error) {
      if (!isAborted(signal)) this.fails(name, error);
    }
  }

  private fails(configuration: string, error: unknown): void {
    this.failures.set(configuration, error instanceof Error ? error.message : String(error));
  }

  /** `step`: the number of the block's finished starts and sweeps. */
  private tell(block: number, step: number, label: string): void {
    const { effort, onProgress } = this.options;
    const steps = this.configurations.length + this.sweeps;
    const [done, total] = [block * steps + step, effort.blocks * steps];
    const seconds = (performance.now() - this.begun) / 1e3;
    const remainingSeconds = done === 0 ? effort.seconds : (seconds / done) * (total - done);
    const interim = this.interim === '' ? {} : { interim: this.interim };
    onProgress({ ...{ done, total, label, remainingSeconds }, round: block + 1, rounds: effort.blocks, ...interim });
  }
}

function ofSteps(
  measured: readonly MeasuredConfiguration[],
  steps: readonly { readonly configuration: Configuration }[],
): MeasuredConfiguration[] {
  const names = new Set(steps.map(({ configuration }) => configuration.name));
  return measured.filter(({ configuration }) => names.has(configuration.name));
}

function append(to: Map<string, (readonly number[])[]>, key: string, block: readonly number[]): void {
  to.set(key, [...(to.get(key) ?? []), block]);
}
