/** The rounds of a run: each starts every stack anew, measures it and stops it; a stack that fails does not end the run. */
import { PeerError } from '../peer.js';
import type { Progress } from '../run.js';
import { isAborted } from './aborted.js';
import { CALLABLE, measureApplication } from './app-alone.js';
import { measureCrossCheck } from './cross-check.js';
import { hopName, measureHop } from './hop-alone.js';
import { countCalls, MAIN_WORKS, measureStack, type MeasureOptions } from './measure.js';
import type {
  ApplicationSample,
  CrossCheckSample,
  HopSample,
  RawSamples,
  RunningStack,
  Sample,
  Stack,
  SystemCalls,
  Work,
} from './model.js';
import { hopsOf, RoundCount, stacksOfRound, worksOfRound, type Plan, type StackPlan } from './plan.js';
import { StraceError } from './system-calls.js';
import { startStack, type StackContext } from './stacks/index.js';

/** After so many failed rounds a stack is left out of the others: it takes its time to fail. */
const FAILED_ROUNDS_BORNE = 2;
/** Seconds of calls of an application alone. */
const CALL_SECONDS = { default: 0.3, quick: 0.1 };

export interface RoundsOptions extends MeasureOptions {
  readonly context: StackContext;
  onProgress(progress: Progress): void;
}

export interface RoundsResult {
  readonly samples: RawSamples;
  readonly systemCalls: readonly SystemCalls[];
  readonly failures: readonly string[];
}

export class RoundsRun {
  private readonly plan: Plan;
  private readonly options: RoundsOptions;
  private readonly count: RoundCount;
  private readonly begun = performance.now();
  private readonly measurements: Sample[] = [];
  private readonly hops: HopSample[] = [];
  private readonly crossChecks: CrossCheckSample[] = [];
  private readonly applications: ApplicationSample[] = [];
  private readonly systemCalls: SystemCalls[] = [];
  /** undefined: strace is not there, or may not look. */
  private strace: string | undefined;
  /** What a part of the run has said as it failed: many rounds say the same. */
  private readonly failures = new Map<string, { said: string; rounds: number }>();
  private round = 0;
  private done = 0;
  private doneInRound = 0;

  constructor(plan: Plan, options: RoundsOptions) {
    this.plan = plan;
    this.options = options;
    this.count = new RoundCount(plan);
    this.strace = options.context.programs.get('strace')?.file;
  }

  /** All rounds, or those that were through, and some of the last, when the signal was aborted. */
  async run(): Promise<RoundsResult> {
    while (this.round < this.rounds() && !isAborted(this.options.signal)) {
      this.doneInRound = 0;
      await this.runRound();
      this.round++;
    }
    const { measurements, hops, crossChecks, applications, systemCalls } = this;
    const failures = [...this.failures].map(
      ([part, { said, rounds }]) => `${part}${rounds > 1 ? ` (${String(rounds)} rounds)` : ''}: ${said}`,
    );
    return { samples: { measurements, hops, crossChecks, applications }, systemCalls, failures };
  }

  private async runRound(): Promise<void> {
    const stacks = stacksOfRound(this.plan, this.round);
    for (const { stack, works } of stacks) {
      if (isAborted(this.options.signal)) return;
      await this.guarded(stack.name, works.length, () => this.runStack(stack, works));
    }
    await this.runParts(stacks);
  }

  private async runStack(stack: Stack, works: readonly Work[]): Promise<void> {
    const running = await startStack(stack, this.options.context);
    const measured: Work[] = [];
    try {
      for (const [index, work] of works.entries()) {
        this.tell(`${stack.name} ${work.name}`);
        // One work that fails leaves the others.
        await this.guarded(`${stack.name} ${work.name}`, 1, async () => {
          this.measurements.push(
            ...(await measureStack(stack, running, work, this.round, {
              ...this.options,
              isFirst: index === 0,
            })),
          );
          measured.push(work);
        });
      }
      for (const work of measured.filter((each) => this.isChecked(each))) {
        await this.runCrossCheck(stack, running, work);
      }
      // Once is enough, as the counts hardly vary; and last, as it slows the servers down.
      if (this.round === 0) await this.countCalls(stack, running, measured);
    } finally {
      await running.stop();
    }
  }

  /** After all other measurements of the stack, for its processes stay bound. */
  private async runCrossCheck(stack: Stack, running: RunningStack, work: Work): Promise<void> {
    const { context } = this.options;
    this.tell(`${stack.name} ${work.name}, put together`);
    await this.inFolder(`${stack.name} ${work.name}, put together`, 0, async (folder) => {
      const place = { ...context, folder };
      const sample = await measureCrossCheck(stack, running, work, this.round, { ...this.options, place });
      if (sample) this.crossChecks.push(sample);
    });
  }

  private async countCalls(stack: Stack, running: RunningStack, works: readonly Work[]): Promise<void> {
    const { context, signal, onNote } = this.options;
    const { processes } = context;
    for (const work of works.filter((each) => this.isChecked(each))) {
      const { strace } = this;
      if (strace === undefined || isAborted(signal)) return;
      const folder = processes.makeFolder();
      try {
        this.systemCalls.push(await countCalls(stack, running, work, { ...this.options, strace, folder }));
      } catch (error) {
        if (isAborted(signal)) return;
        if (!(error instanceof StraceError || error instanceof PeerError)) throw error;
        onNote(`system calls of ${stack.name} ${work.name} were not counted: ${error.message}`);
        // Whom the system does not let look need not try again.
        if (this.systemCalls.length === 0) this.strace = undefined;
      } finally {
        await processes.removeFolder(folder);
      }
    }
  }

  /** What is measured apart from the stacks: hops, the front, applications. */
  private async runParts(stacks: readonly StackPlan[]): Promise<void> {
    const works = worksOfRound(this.plan.works, this.round);
    for (const hop of hopsOf(stacks)) {
      for (const work of works) {
        if (isAborted(this.options.signal)) return;
        const needed = stacks.some(
          (plan) => plan.stack.hop && hopName(plan.stack.hop) === hopName(hop) && plan.works.includes(work),
        );
        if (needed) await this.runHop(hop, work);
      }
    }
    for (const language of CALLABLE) {
      for (const work of works) {
        if (isAborted(this.options.signal)) return;
        const needed = stacks.some((plan) => plan.stack.language === language && plan.works.includes(work));
        if (needed) await this.runApplication(language, work);
      }
    }
  }

  private async runHop(hop: HopSample['hop'], work: Work): Promise<void> {
    const name = `hop ${hopName(hop)} ${work.name}`;
    this.tell(name);
    await this.inFolder(name, 1, async (folder) => {
      const sample = await measureHop(hop, work, this.round, { ...this.options, folder });
      if (sample) this.hops.push(sample);
    });
  }

  /** Whether the parts of a request are measured apart and put together again: that takes as long as the whole. */
  private isChecked({ name }: Work): boolean {
    return !this.plan.quick && MAIN_WORKS.includes(name);
  }

  private async runApplication(language: ApplicationSample['language'], work: Work): Promise<void> {
    const name = `application ${language} ${work.name}`;
    const { context, host, signal } = this.options;
    const seconds = CALL_SECONDS[this.plan.quick ? 'quick' : 'default'];
    this.tell(name);
    await this.guarded(name, 1, async () => {
      const { wsgi, app } = context;
      this.applications.push(
        await measureApplication(language, work, this.round, {
          ...{ wsgi, app, seconds, host, signal },
        }),
      );
    });
  }

  private async inFolder(name: string, steps: number, run: (folder: string) => Promise<void>): Promise<void> {
    const { processes } = this.options.context;
    await this.guarded(name, steps, async () => {
      const folder = processes.makeFolder();
      try {
        await run(folder);
      } finally {
        await processes.removeFolder(folder);
      }
    });
  }

  /** Runs a part of the run that may fail. */
  private async guarded(name: string, steps: number, run: () => Promise<void>): Promise<void> {
    const before = this.failures.get(name);
    try {
      if ((before?.rounds ?? 0) < FAILED_ROUNDS_BORNE && !isAborted(this.options.signal)) await run();
    } catch (error) {
      if (isAborted(this.options.signal)) return;
      if (!(error instanceof Error) || error instanceof TypeError || error instanceof ReferenceError) throw error;
      this.failures.set(name, { said: before?.said ?? error.message, rounds: (before?.rounds ?? 0) + 1 });
    } finally {
      this.done += steps;
      this.doneInRound += steps;
    }
  }

  private tell(label: string): void {
    const rounds = this.rounds();
    const seconds = this.seconds();
    const total = this.stepsOfAll(rounds);
    this.options.onProgress({
      done: Math.min(this.done, total),
      total,
      round: this.round + 1,
      rounds,
      label,
      remainingSeconds: this.done === 0 ? 0 : (seconds / this.done) * Math.max(0, total - this.done),
    });
  }

  private rounds(): number {
    return this.count.after(this.round, this.seconds());
  }

  private seconds(): number {
    return (performance.now() - this.begun) / 1e3;
  }

  /** As the rounds so far had them. */
  private stepsOfAll(rounds: number): number {
    const before = this.done - this.doneInRound;
    const aRound = this.round === 0 ? this.stepsOfFirst() : before / this.round;
    return Math.round(aRound * rounds);
  }

  private stepsOfFirst(): number {
    const stacks = stacksOfRound(this.plan, 0);
    const hops = hopsOf(stacks).length;
    const works = worksOfRound(this.plan.works, 0).length;
    return stacks.reduce((sum, plan) => sum + 2 * plan.works.length, 0) + works * (hops + CALLABLE.length);
  }
}
