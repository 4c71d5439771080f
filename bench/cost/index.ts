/** `nearwire cost`: measures the layers of a request, and interprets the results. */
import { setMaxListeners } from 'node:events';

import { findFloor } from '../floor.js';
import { formatTime } from '../format.js';
import { inspectHost, readVersions } from '../host.js';
import type { RunRecord } from '../model.js';
import { allowedCores, findPlacement } from '../placement.js';
import { NothingToRun, type RunControl } from '../run.js';
import { EFFORT, type Effort } from './effort.js';
import { CROWD, LOADS } from './measure.js';
import type { Program, Stack, StackPlace, Work } from './model.js';
import { planOf, type CostChoice } from './plan.js';
import { Processes } from './processes.js';
import { findPrograms } from './programs.js';
import { get } from './ready.js';
import { runPlan, type Samples } from './run.js';
import { verdictOf, type Verdict } from './verdict.js';

export interface CostResult extends RunRecord {
  readonly programs: readonly Program[];
  readonly notes: readonly string[];
  /** By the number of requests outstanding. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
  readonly samples: Samples;
  readonly waits: Samples;
  /** Ended by a signal: contains only complete sweeps. */
  readonly interrupted: boolean;
  /** Configurations that could not be measured, with their error messages. */
  readonly failures: readonly string[];
}

export interface CostOptions extends CostChoice, RunControl {
  /** Default EFFORT. */
  readonly effort?: Effort;
}

/** Throws NothingToRun if nothing can be measured as requested. */
export async function measureCost(options: CostOptions): Promise<CostResult> {
  const started = new Date();
  const { app, wsgi, ownPath, signal, onProgress, onWarning, effort = EFFORT, command } = options;
  const floor = findFloor();
  if (floor === undefined) throw new NothingToRun(['the plain C program, which is the load generator, is not built']);
  const cores = allowedCores();
  if (cores.length === 0) {
    const { reason = 'none may be used' } = findPlacement();
    throw new NothingToRun([`all processes of a stack must share a processor, but ${reason}`]);
  }
  const programs = await findPrograms();
  // Each generator and each server listens to it.
  setMaxListeners(0, signal);
  const processes = await Processes.start(signal);
  try {
    const context = { processes, programs, app, wsgi, ownPath, signal };
    const plan = await planOf(options, programs, (stack, work) => lengthOf(stack, work, context));
    const { host, warnings } = await inspectHost();
    const notes = [...warnings, ...plan.notes];
    notes.forEach(onWarning);
    const run = await runPlan(plan, {
      ...{ floor, signal, onProgress, context, cores, effort },
      onBlock: (soFar) => interim(verdictOf(plan, soFar, CROWD)),
    });
    const failures = [...run.failures].map(([name, said]) => `${name}: ${said}`);
    const verdicts = new Map(LOADS.map((outstanding) => [outstanding, verdictOf(plan, run, outstanding)]));
    if (verdicts.get(CROWD)?.chains.length === 0) throw new NothingToRun(failures);
    return {
      ...{ host, versions: readVersions(), programs: [...programs.values()], command, started: started.toISOString() },
      seconds: Math.round((Date.now() - started.getTime()) / 100) / 10,
      ...{ notes, verdicts, samples: run.samples, waits: run.waits, failures, interrupted: signal.aborted },
    };
  } finally {
    await processes.end();
  }
}

/**
 * The length of an application's response, which all compared servers then use. Throws NothingToRun if there is no
 * response.
 */
async function lengthOf(stack: Stack, { path }: Work, context: StackPlace): Promise<number> {
  try {
    const running = await stack.start(context);
    const { status, body } = await get(running.target, path);
    await running.stop();
    if (status === 200) return body.length;
    throw new Error(`GET ${path} returned ${String(status)}`);
  } catch (error) {
    context.signal.throwIfAborted();
    throw new NothingToRun([error instanceof Error ? error.message : String(error)]);
  }
}

function interim({ chains: [chain] }: Verdict): string {
  if (chain === undefined) return '';
  const whole = formatTime(chain.whole.median);
  return `so far: ${chain.hop ? `the hop is ${formatTime(chain.hop.work.median)} of ${whole}` : `a request takes ${whole}`}`;
}

export function costJsonOf({ verdicts, samples, waits, ...rest }: CostResult): unknown {
  const [byLoad, byLane, byName] = [verdicts, samples, waits].map((each) => Object.fromEntries<unknown>([...each]));
  return { schema: 1, ...rest, verdicts: byLoad, samples: byLane, waits: byName };
}
