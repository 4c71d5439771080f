/** `nearwire cost`: measures the layers of a request, and says what they say. */
import { setMaxListeners } from 'node:events';

import { findFloor } from '../floor.js';
import { inspectHost, readVersions } from '../host.js';
import type { Host, Versions } from '../model.js';
import { NothingToRun, type RunControl } from '../run.js';
import type { Program } from './model.js';
import { Processes, StackError } from './processes.js';
import { findPrograms } from './programs.js';
import type { StackContext } from './stacks/index.js';
import { CROWD, LOADS } from './measure.js';
import { answerBytes } from './answer-bytes.js';
import { planOf, rowsOf, type AnswerBytes, type CostChoice, type Row } from './plan.js';
import { runPlan, type Samples } from './run.js';
import { verdictOf, type Verdict } from './verdict.js';
import { EFFORT, type Effort } from './effort.js';
import { formatTime } from './format-time.js';

export interface CostResult {
  readonly host: Host;
  readonly versions: Versions;
  readonly programs: readonly Program[];
  readonly command: string;
  readonly started: string;
  readonly seconds: number;
  readonly notes: readonly string[];
  /** By the number of requests outstanding. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
  readonly samples: Samples;
  readonly waits: Samples;
  /** Ended by a signal: of as many sweeps as were through. */
  readonly interrupted: boolean;
  /** Configurations that could not be measured, with what they said. */
  readonly failures: readonly string[];
}

export interface CostOptions extends CostChoice, RunControl {
  /** Default EFFORT. */
  readonly effort?: Effort;
}

/** Throws NothingToRun where nothing can be measured as asked. */
export async function measureCost(options: CostOptions): Promise<CostResult> {
  const started = new Date();
  const floor = findFloor();
  if (floor === undefined) throw new NothingToRun(['the plain C program, which is the load generator, is not built']);
  const programs = await findPrograms();
  // Throws where nothing can be measured as asked: before anything is started.
  const rows = rowsOf(options, programs);
  const { host, warnings } = await inspectHost();
  for (const note of [...warnings, ...rows.notes]) options.onWarning(note);
  const { app, wsgi, ownPath, signal, onProgress } = options;
  // Each generator and each server listens to it.
  setMaxListeners(0, signal);
  const processes = await Processes.start(signal);
  try {
    const context = { processes, programs, app, wsgi, ownPath, signal };
    const plan = planOf(rows, options.bytes, await answersOf(rows.chains, context));
    const run = await runPlan(plan, {
      ...{ floor, signal, onProgress, context, effort: options.effort ?? EFFORT },
      onBlock: (soFar) => interim(verdictOf(plan, soFar, CROWD)),
    });
    const failed = [...run.failures].map(([name, said]) => `${name}: ${said}`);
    const verdicts = new Map(LOADS.map((outstanding) => [outstanding, verdictOf(plan, run, outstanding)]));
    if (verdicts.get(CROWD)?.chains.length === 0) throw new NothingToRun(failed);
    return {
      ...{ host, versions: readVersions(), programs: [...programs.values()], command: options.command },
      started: started.toISOString(),
      seconds: Math.round((Date.now() - started.getTime()) / 100) / 10,
      notes: [...warnings, ...rows.notes],
      ...{ verdicts, samples: run.samples, waits: run.waits, failures: failed, interrupted: signal.aborted },
    };
  } finally {
    await processes.end();
  }
}

/** Asked once of those whose answers are of a length that only they know. */
async function answersOf(rows: readonly Row[], context: StackContext): Promise<AnswerBytes> {
  const answers = new Map<Row, number>();
  for (const row of rows.filter(({ app }) => app !== undefined && app.answerBytes === undefined)) {
    const bytes = await answerBytes(row.stack, row.app?.path ?? '', context).catch((error: unknown) => {
      if (!(error instanceof StackError)) throw error;
      throw new NothingToRun([error.message]);
    });
    answers.set(row, bytes);
  }
  return (row) => answers.get(row) ?? 0;
}

function interim({ chains: [chain] }: Verdict): string {
  if (chain === undefined) return '';
  const whole = formatTime(chain.whole.median);
  return `so far: ${chain.hop ? `the hop is ${formatTime(chain.hop.work.median)} of ${whole}` : `a request takes ${whole}`}`;
}

export function costJsonOf({ verdicts, samples, waits, ...rest }: CostResult): unknown {
  const [byLoad, byLane, byName] = [verdicts, samples, waits].map((each) => Object.fromEntries<unknown>([...each]));
  return { ...rest, verdicts: byLoad, samples: byLane, waits: byName };
}
