/** The sweep: runs the plan round by round and puts the results together. */
import { addonStatus } from '../../src/native.js';
import { withFolder } from '../folder.js';
import { formatBytes } from '../format.js';
import { inspectHost, readVersions } from '../host.js';
import { PeerError } from '../peer.js';
import { NothingToRun, type RunControl } from '../run.js';
import { writeBodies } from './bodies.js';
import { conclude } from './conclude.js';
import { readLimits } from './limits.js';
import type { Sample, SweepCell, SweepResult } from './model.js';
import { cellsOfRound, makeSweepPlan, PACES, SweepPacer, type SweepChoice, type SweepPlan } from './plan.js';
import { settingsFor } from './settings.js';
import { Stage } from './stage.js';
import { cellsOf } from './summary.js';

export type SweepOptions = SweepChoice & RunControl;

/** A subject that fails so often is left alone: each failure may have taken as long as a process is waited for. */
const MOST_FAILURES = 2;
/** Of a socket: its subject, and the buffer that it was asked for. */
const LONGEST_SOCKET_NAME = 'native-2147483647';

export async function runSweep(options: SweepOptions): Promise<SweepResult> {
  const started = new Date();
  const status = addonStatus();
  const plan = makeSweepPlan(options, {
    addonMissing: status.addon ? undefined : (status.reason ?? new Error('no reason given')),
  });
  if (plan.subjects.length === 0) throw new NothingToRun(plan.skipped);
  const { host, warnings } = await inspectHost();
  for (const warning of [...warnings, ...plan.skipped]) options.onWarning(warning);
  return withFolder('nearwire-tune-', LONGEST_SOCKET_NAME, async (folder) => {
    if (plan.subjects.includes('file')) writeBodies(folder, plan.sizes);
    const { samples, rounds, failures, dropped } = await runRounds(plan, options, folder);
    const cells = cellsOf(samples, plan, process.platform);
    const conclusions = conclude(cells);
    const limits = readLimits();
    return {
      host,
      versions: readVersions(),
      command: options.command,
      started: started.toISOString(),
      seconds: Math.round((Date.now() - started.getTime()) / 100) / 10,
      family: plan.family,
      platform: process.platform,
      subjects: plan.subjects,
      sizes: plan.sizes,
      buffers: plan.buffers,
      rounds,
      limits,
      cells,
      conclusions,
      settings: settingsFor({ cells, conclusions, limits, family: plan.family, platform: process.platform }),
      warnings: [...warnings, ...dropped],
      skipped: plan.skipped,
      failures,
      interrupted: options.signal.aborted,
    };
  });
}

interface Rounds {
  readonly samples: Sample[];
  /** Rounds that were begun. */
  readonly rounds: number;
  readonly failures: string[];
  readonly dropped: string[];
}

async function runRounds(plan: SweepPlan, options: SweepOptions, folder: string): Promise<Rounds> {
  const total = cellsOfRound(plan, 0).length * plan.rounds;
  const run = new Run(
    plan,
    options,
    folder,
    new SweepPacer(plan.mode, total, !plan.allRounds, performance.now()),
    total,
  );
  try {
    for (let round = 0; round < plan.rounds; round++) {
      const ended = await run.round(round);
      if (ended) break;
    }
  } finally {
    await run.closeStage();
  }
  return run;
}

/** A sweep under way. */
class Run implements Rounds {
  readonly samples: Sample[] = [];
  readonly failures: string[] = [];
  readonly dropped: string[] = [];
  rounds = 0;

  private readonly failed = new Map<string, number>();
  private stage: Stage | undefined;
  private done = 0;

  constructor(
    private readonly plan: SweepPlan,
    private readonly options: SweepOptions,
    private readonly folder: string,
    private readonly pacer: SweepPacer,
    private readonly total: number,
  ) {}

  /** Runs all cells of a round, in processes of its own. True: it was the last one, before its time. */
  async round(round: number): Promise<boolean> {
    const cells = cellsOfRound(this.plan, round);
    this.rounds = round + 1;
    for (const [index, cell] of cells.entries()) {
      if (this.options.signal.aborted) return true;
      if (this.failuresOf(cell) >= MOST_FAILURES) continue;
      // Buffers of one size are compared: all of them, or none.
      const compared = this.plan.buffers.length * this.plan.subjects.length;
      if (cells[index - 1]?.size !== cell.size && !this.pacer.hasTimeFor(compared, performance.now())) {
        this.dropped.push(
          `slow machine: the time budget ended in round ${String(round + 1)} of ${String(this.plan.rounds)}, ` +
            'name the rounds (--rounds) to run them all',
        );
        return true;
      }
      this.tellProgress(cell, round);
      await this.cell(cell, round);
    }
    await this.closeStage();
    return false;
  }

  async closeStage(): Promise<void> {
    const { stage } = this;
    this.stage = undefined;
    await stage?.close();
  }

  private async cell(cell: SweepCell, round: number): Promise<void> {
    const begun = performance.now();
    const seconds = this.pacer.stretch(begun);
    try {
      this.stage ??= await Stage.open(this.plan, this.folder, this.options.signal);
      this.samples.push(await this.stage.run(cell, round, { warmup: PACES[this.plan.mode].warmup, seconds }));
    } catch (error) {
      // What a cell was ended in has no figures.
      if (this.options.signal.aborted) return;
      if (!(error instanceof PeerError)) throw error;
      this.failures.push(`${describeCell(cell)}: ${error.message}`);
      this.failed.set(cell.subject, this.failuresOf(cell) + 1);
      // Whichever process failed, the others may wait for it.
      await this.closeStage();
    }
    this.pacer.took(performance.now() - begun, seconds);
    this.done++;
  }

  private failuresOf({ subject }: SweepCell): number {
    return this.failed.get(subject) ?? 0;
  }

  private tellProgress(cell: SweepCell, round: number): void {
    this.options.onProgress({
      done: this.done,
      total: this.total,
      round: round + 1,
      rounds: this.plan.rounds,
      label: describeCell(cell),
      remainingSeconds: this.pacer.remainingSeconds(performance.now()),
    });
  }
}

function describeCell({ subject, size, buffer }: SweepCell): string {
  return `${subject}, ${formatBytes(size)} with ${buffer === 'default' ? 'the default buffer' : formatBytes(buffer)}`;
}
