/** The benchmark: runs the plan round by round and combines the results. */
import { addonStatus } from 'nearwire/internal';
import { CannotRun } from './cannot-run.js';
import { maximumOf, runCell, SOCKET_NAME, type CellContext } from './cell.js';
import { settleEnvironment } from './environment.js';
import { findFloor } from './floor.js';
import { withFolder } from './folder.js';
import { grainWarnings, inspectHost, readVersions, timerGrain } from './host.js';
import { describeParams } from './format.js';
import type { BenchResult, Sample, Series, SeriesResult } from './model.js';
import { findNginx } from './nginx.js';
import { isOpenLoop, maximaOf, MAXIMUM_SECONDS, OFFERED_BY, offeredTo } from './offered.js';
import { Pacer, warmUpOf } from './pacer.js';
import { PeerError } from './peer.js';
import { findPlacement } from './placement.js';
import { descriptorLimit, makePlan, turnsOf, type Choice, type Means, type Plan } from './plan.js';
import { sampleWarnings } from './sample-warnings.js';
import { cellsOf, latenciesOf, ratiosOf } from './statistics.js';
import { subjectNamed } from './subjects.js';

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly round: number;
  readonly rounds: number;
  /** What is running now. */
  readonly label: string;
  /** For steps outside the rounds, which run once: their name. */
  readonly phase?: string;
  /** The result so far. */
  readonly interim?: string;
  readonly remainingSeconds: number;
}

/** The means to watch and end a long run. */
export interface RunControl {
  /** The command line, for the record. */
  readonly command: string;
  /** Ends the run: kills processes, removes files, and returns what has been measured. */
  readonly signal: AbortSignal;
  onProgress(progress: Progress): void;
  /** Called before the first cell, while there is time to stop. */
  onWarning(warning: string): void;
}

export type BenchOptions = Choice & RunControl;

/** The request leaves nothing to run: something is missing, or, if nothing is, the cases and subjects do not match. */
export class NothingToRun extends CannotRun {
  readonly missing: readonly string[];

  constructor(missing: readonly string[]) {
    super(['nothing is left to run', ...missing].join('\n  '));
    this.missing = missing;
  }
}

export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const started = new Date();
  const { environment = {}, notes = [], signal } = options;
  const withheld = settleEnvironment(environment);
  const floor = findFloor();
  const plan = makePlan(options, meansWith(floor));
  const { lineup, skipped } = plan;
  if (plan.series.length === 0) throw new NothingToRun(skipped);
  const { host, warnings: hostWarnings } = await inspectHost();
  const grain = timerGrain();
  const { cores, reason } = findPlacement();
  const warnings = [
    ...hostWarnings,
    ...withheld.map((name) => `${name} is set and not handed on to what is measured: --env ${name} does so`),
    ...(reason === undefined ? [] : [`processes run where the scheduler puts them: ${reason}`]),
  ];
  for (const warning of [...warnings, ...notes, ...skipped]) options.onWarning(warning);
  const { results, failures, unrun } = await withFolder('nearwire-bench-', SOCKET_NAME, (folder) =>
    runRounds(plan, options, { lineup, floor, folder, cores, signal }),
  );
  const cells = results.flatMap(cellsOf);
  return {
    ...{ host, versions: readVersions(), lineup, environment, command: options.command },
    started: started.toISOString(),
    seconds: Math.round((Date.now() - started.getTime()) / 100) / 10,
    ...{ results, cells },
    ratios: results.flatMap((result) => ratiosOf(result, lineup)),
    latencies: results.flatMap(latenciesOf),
    warnings: [...warnings, ...unrun, ...sampleWarnings(results), ...grainWarnings(cells, grain)],
    skipped: [...notes, ...skipped],
    ...{ failures, interrupted: signal.aborted },
  };
}

function meansWith(floor: string | undefined): Means {
  const { addon, reason } = addonStatus();
  const nginx = findNginx();
  // The further lines of a failed require list its callers.
  const [why] = (reason?.message ?? 'no reason given').split('\n', 1);
  return {
    missing: {
      ...(floor === undefined && { floor: 'is not built (npm run build:floor)' }),
      ...(addon === undefined && { addon: `the addon did not load: ${String(why)}` }),
      ...(nginx instanceof Error && { nginx: nginx.message }),
    },
    descriptors: descriptorLimit(),
  };
}

interface Rounds {
  readonly results: readonly SeriesResult[];
  readonly failures: readonly string[];
  /** What there was no time for. */
  readonly unrun: readonly string[];
}

async function runRounds(plan: Plan, options: RunControl, context: CellContext): Promise<Rounds> {
  const startedAt = performance.now();
  const { mode, lineup, rounds } = plan;
  const { signal } = context;
  const isOver = (): boolean => signal.aborted;
  const failures: string[] = [];
  const offers = await measureOffers(plan, failures, options, context);
  const turns = turnsOf(plan).filter(({ series }) => !isOpenLoop(series) || offers.has(series));
  const total = turns.reduce((sum, { cells }) => sum + cells.length, 0);
  const pacer = new Pacer(plan, turns, startedAt);
  const samples = new Map<Series, Sample[]>(plan.series.map((series) => [series, []]));
  const unrun: string[] = [];
  let done = 0;
  for (const { round, series, cells } of turns) {
    const { case: benchCase, family } = series;
    if (isOver()) break;
    if (!pacer.hasTimeFor(benchCase, cells.length, performance.now())) {
      unrun.push(
        `slow machine: the time budget ended in round ${String(round + 1)} of ${String(rounds)}, ` +
          'name the rounds (--rounds) to run them all',
      );
      break;
    }
    const seconds = pacer.stretch(benchCase, performance.now());
    for (const subjects of cells) {
      if (isOver()) break;
      const begun = performance.now();
      const each = done === 0 ? plan.pace.budget / total : (begun - startedAt) / 1e3 / done;
      options.onProgress({
        ...{ round: round + 1, rounds, total, done, remainingSeconds: each * (total - done) },
        label: [benchCase.name, ...subjects, ...(family === 'none' ? [] : [family])].join(' '),
      });
      const warmUp = warmUpOf(benchCase, subjectNamed(subjects[0] ?? '', lineup), mode);
      const timing = { warmUp, seconds, offered: offers.get(series) };
      const found = await attempt(runCell(series, subjects, round, timing, context), failures, signal);
      samples.get(series)?.push(...(found ?? []));
      pacer.took(benchCase, performance.now() - begun, seconds);
      done++;
    }
  }
  const results = plan.series.map((series) => ({
    ...{ series, samples: samples.get(series) ?? [], offered: offers.get(series) },
  }));
  return { results, failures, unrun };
}

/** Requests per second. A series of an open loop without an entry could not be measured. */
async function measureOffers(
  { mode, lineup, series: all, rounds }: Plan,
  failures: string[],
  { onProgress }: RunControl,
  context: CellContext,
): Promise<Map<Series, number>> {
  const offers = new Map<Series, number>();
  const maxima = maximaOf(all);
  const steps = { total: maxima.length, round: 0, rounds, phase: 'what node:net answers at most', remainingSeconds: 0 };
  for (const [done, { series, sharers }] of maxima.entries()) {
    if (context.signal.aborted) break;
    onProgress({ ...steps, done, label: `${series.case.name} ${describeParams(series.params)} ${series.family}` });
    const warmUp = warmUpOf(series.case, subjectNamed(OFFERED_BY, lineup), mode);
    const timing = { warmUp, seconds: MAXIMUM_SECONDS[mode] };
    const maximum = await attempt(maximumOf(series, OFFERED_BY, timing, context), failures, context.signal);
    if (maximum !== undefined) for (const sharer of sharers) offers.set(sharer, offeredTo(sharer, maximum));
  }
  return offers;
}

/** Reports a failure and continues with the rest, unless the run is aborted. */
async function attempt<T>(work: Promise<T>, failures: string[], signal: AbortSignal): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof PeerError)) throw error;
    failures.push(error.message);
    return undefined;
  }
}
