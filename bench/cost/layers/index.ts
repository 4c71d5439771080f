/** `nearwire cost verdict`: measures the layers of a request, and says what they say. */
import { setMaxListeners } from 'node:events';

import { findFloor } from '../../floor.js';
import { inspectHost, readVersions } from '../../host.js';
import type { Host, Versions } from '../../model.js';
import { NothingToRun, type RunControl } from '../../run.js';
import type { Program, Stack } from '../model.js';
import { Processes, StackError } from '../processes.js';
import { findPrograms } from '../programs.js';
import type { StackContext } from '../stacks/index.js';
import { CROWD, LOADS } from './measure.js';
import { ownAnswerBytes } from './own-answer.js';
import { layersPlan, ownStacks, type LayersChoice, type OwnAnswers } from './plan.js';
import { runLayers, type LayerSamples } from './run.js';
import { verdictOf, type Verdict } from './verdict.js';
import { EFFORT, type Effort } from './effort.js';
import { formatTime } from './format-time.js';

export interface LayersResult {
  readonly host: Host;
  readonly versions: Versions;
  readonly programs: readonly Program[];
  readonly command: string;
  readonly started: string;
  readonly seconds: number;
  readonly notes: readonly string[];
  /** By the number of requests outstanding. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
  readonly samples: LayerSamples;
  readonly waits: LayerSamples;
  /** Ended by a signal: of as many sweeps as were through. */
  readonly interrupted: boolean;
  /** Configurations that could not be measured, with what they said. */
  readonly failures: readonly string[];
}

export interface LayersWords extends LayersChoice, RunControl {
  /** Default EFFORT. */
  readonly effort?: Effort;
}

/** Throws NothingToRun where nothing can be measured as asked. */
export async function measureLayers(options: LayersWords): Promise<LayersResult> {
  const started = new Date();
  const floor = findFloor();
  if (floor === undefined) throw new NothingToRun(['the plain C program, which is the load generator, is not built']);
  const programs = await findPrograms();
  // Throws where nothing can be measured as asked: before anything is started.
  const planned = layersPlan(options, programs);
  const { notes } = planned;
  const { host, warnings } = await inspectHost();
  for (const note of [...warnings, ...notes]) options.onWarning(note);
  const { app, wsgi, ownPath, signal, onProgress } = options;
  // Each generator and each server listens to it.
  setMaxListeners(0, signal);
  const processes = await Processes.start(signal);
  try {
    const context = { processes, programs, app, wsgi, ownPath, signal };
    const { plan } = layersPlan(options, programs, await ownAnswers(ownStacks(options, planned), ownPath, context));
    const run = await runLayers(plan, {
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
      notes: [...warnings, ...notes],
      ...{ verdicts, samples: run.samples, waits: run.waits, failures: failed, interrupted: signal.aborted },
    };
  } finally {
    await processes.end();
  }
}

async function ownAnswers(stacks: readonly Stack[], path: string, context: StackContext): Promise<OwnAnswers> {
  const answers: Partial<Record<Stack['language'], number>> = {};
  for (const { name, language } of stacks) {
    answers[language] = await ownAnswerBytes(name, path, context).catch((error: unknown) => {
      if (!(error instanceof StackError)) throw error;
      throw new NothingToRun([error.message]);
    });
  }
  return answers;
}

function interim({ chains: [chain] }: Verdict): string {
  return chain === undefined
    ? ''
    : `so far: the hop is ${formatTime(chain.hop.median)} of ${formatTime(chain.whole.median)}`;
}

export function layersJsonOf({ verdicts, samples, waits, ...rest }: LayersResult): unknown {
  const [byLoad, byLane, byName] = [verdicts, samples, waits].map((each) => Object.fromEntries<unknown>([...each]));
  return { ...rest, verdicts: byLoad, samples: byLane, waits: byName };
}
