/** `nearwire cost`: starts the stacks, measures them round by round, splits, drives to the limits, and answers. */
import { findFloor } from '../floor.js';
import { inspectHost, readVersions } from '../host.js';
import { NothingToRun } from '../run.js';
import { median } from '../statistics.js';
import { answersOf, DEFAULT_APP_MS } from './answers.js';
import { cpuMissing } from './cpu.js';
import { HostSpeed } from './host-speed.js';
import { measureCurves } from './curves-run.js';
import { QUICK_TIMING, TIMING } from './measure.js';
import { formatShare } from './figures.js';
import type { CostOptions, CostResult, Overload, RawSamples, Sample } from './model.js';
import { runOverloads } from './overload/index.js';
import { makePlan, type Plan } from './plan.js';
import { Processes } from './processes.js';
import { findPrograms } from './programs.js';
import { RoundsRun, type RoundsOptions } from './rounds.js';
import { rowsOf, Samples } from './samples.js';
import { splitsOf } from './split.js';
import { missingPage } from './stacks/index.js';

/** Of the best speed of the host: where half of the run had no more, a reader should know. */
const HOST_SLOW = 0.95;
/** Of the generator, from which share of a core on it may have been the limit. */
const GENERATOR_BUSY = 0.9;
/** Of one limit, for the display: about what each takes on a host of two cores. */
const DRIVE_SECONDS = 15;

/** Throws NothingToRun where nothing can be measured as asked. */
export async function runCost(options: CostOptions): Promise<CostResult> {
  const started = new Date();
  const floor = findFloor();
  if (floor === undefined) throw new NothingToRun(['the plain C program, which is the load generator, is not built']);
  const programs = await findPrograms();
  const plan = makePlan(options, programs);
  const pageMissing = missingPage(options.stacks, options.works, { wsgi: options.wsgi, app: options.app, programs });
  if (plan.stacks.length === 0) {
    throw new NothingToRun([
      ...plan.missing.map(({ stack, reason }) => `${stack}: ${reason}`),
      ...(pageMissing === undefined ? [] : [pageMissing]),
    ]);
  }
  const { host, warnings } = await inspectHost();
  const notes = new Set([...warnings, ...[cpuMissing(), pageMissing].filter((note) => note !== undefined)]);
  for (const note of notes) options.onWarning(note);
  const processes = await Processes.start(options.signal);
  const speed = HostSpeed.start(floor, options.signal);
  try {
    const parts = await measureAll(options, plan, {
      floor,
      context: {
        ...{ processes, programs, wsgi: options.wsgi, app: options.app, signal: options.signal },
        ...(options.ownPath !== undefined && { ownPath: options.ownPath }),
      },
      host: speed,
      timing: options.quick ? QUICK_TIMING : TIMING,
      signal: options.signal,
      onNote: (note) => notes.add(note),
      onProgress: options.onProgress,
    });
    return {
      ...{ host, versions: readVersions(), programs: [...programs.values()], command: options.command },
      started: started.toISOString(),
      seconds: Math.round((Date.now() - started.getTime()) / 100) / 10,
      ...{ quick: options.quick, missing: plan.missing, works: plan.works, notes: [...notes] },
      ...parts,
      interrupted: options.signal.aborted,
    };
  } finally {
    await Promise.all([processes.end(), speed.stop()]);
  }
}

type Parts = Pick<
  CostResult,
  'stacks' | 'samples' | 'systemCalls' | 'rows' | 'splits' | 'curves' | 'overloads' | 'answers' | 'failures'
>;

async function measureAll(options: CostOptions, plan: Plan, run: RoundsOptions): Promise<Parts> {
  const { failures: failed, samples: raw, systemCalls } = await new RoundsRun(plan, run).run();
  const failures = [...failed];
  const stacks = plan.stacks.map(({ stack: { name, title, language, hop } }) => ({ name, title, language, hop }));
  const samples = new Samples({ stacks, works: plan.works, ...raw });
  for (const note of [...hostNotes(raw), ...generatorNotes(raw.measurements)]) run.onNote(note);
  const onFailure = (failure: string): void => {
    failures.push(failure);
  };
  const curves = await measureCurves(plan, samples, { ...run, onFailure });
  const overloads = options.overloads ? await driveLimits(run, options.quick, onFailure) : [];
  const splits = splitsOf(samples);
  const evidence = { samples, splits, curves, overloads, appMs: options.appMs ?? DEFAULT_APP_MS };
  return {
    ...{ stacks, samples: raw, rows: rowsOf(samples), splits, systemCalls, curves, overloads },
    ...{ answers: answersOf(evidence), failures },
  };
}

function driveLimits(run: RoundsOptions, quick: boolean, onFailure: (failure: string) => void): Promise<Overload[]> {
  const { programs } = run.context;
  return runOverloads({
    ...{ programs, signal: run.signal, quick, onFailure, onLeftOut: run.onNote },
    onProgress(label, done, total) {
      run.onProgress({
        done,
        total,
        round: 1,
        rounds: 1,
        label,
        phase: 'limits',
        remainingSeconds: (total - done) * DRIVE_SECONDS,
      });
    },
  });
}

/** A neighbour of a virtual machine, or another load in it. */
export function hostNotes({ measurements }: RawSamples): string[] {
  if (measurements.length === 0) return [];
  const speeds = measurements.map(({ hostSpeed }) => hostSpeed);
  const share = median(speeds) / Math.max(...speeds);
  if (share >= HOST_SLOW) return [];
  return [
    `restless host: half of the run had its processors at ${formatShare(share)} of their best speed or less; figures are ` +
      'corrected for that as far as the run itself tells what it does to them, and their intervals are wide',
  ];
}

/** Where the generator may have been the limit, a rate says nothing of the stack. */
export function generatorNotes(measurements: readonly Sample[]): string[] {
  const shares = new Map<string, number[]>();
  for (const sample of measurements) {
    if (sample.load.kind !== 'closed' || sample.load.connections === 1) continue;
    const name = `${sample.stack} ${sample.work}`;
    shares.set(name, [...(shares.get(name) ?? []), sample.generatorShare]);
  }
  return [...shares]
    .filter(([, values]) => median(values) >= GENERATOR_BUSY)
    .map(([name]) => `${name}: the load generator was busy all the time, and may have been the limit of its rate`);
}
