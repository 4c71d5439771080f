/** The benchmark: runs the plan round by round and puts the results together. */
import { addonStatus } from '../src/native.js';
import { CannotRun } from './cannot-run.js';
import { cellsOfTurn, runCell, SOCKET_NAME, type CellContext } from './cell.js';
import { settleEnvironment } from './environment.js';
import { findFloor } from './floor.js';
import { withFolder } from './folder.js';
import { grainWarnings, inspectHost, readVersions, timerGrain } from './host.js';
import type { BenchCase, BenchResult, Sample, Series, SeriesResult, SubjectName } from './model.js';
import { findNginx } from './nginx.js';
import { isOpenLoop, measureOffers, type Offers } from './offered.js';
import { PeerError } from './peer.js';
import { findPlacement } from './placement.js';
import { cellWarmUpOf, descriptorLimit, makePlan, orderOf, Pacer, type Choice, type Plan } from './plan.js';
import { sampleWarnings } from './sample-warnings.js';
import { cellsOf, latenciesOf, ratiosOf } from './statistics.js';
import { subjectNamed } from './subjects.js';

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly round: number;
  readonly rounds: number;
  /** What runs now. */
  readonly label: string;
  /** Of what comes after the rounds, and is done once: what it is. */
  readonly phase?: string;
  /** What has been found so far. */
  readonly interim?: string;
  readonly remainingSeconds: number;
}

/** What a long run is given to be watched and ended by. */
export interface RunControl {
  /** The command as it was given, for the record. */
  readonly command: string;
  /** Ends the run: processes are killed, files removed, what has been measured is returned. */
  readonly signal: AbortSignal;
  onProgress(progress: Progress): void;
  /** Told before the first cell, while there is time to stop. */
  onWarning(warning: string): void;
}

export type BenchOptions = Choice & RunControl;

/** Nothing can be run as asked: what is missing, or, if nothing is, the cases and subjects do not go together. */
export class NothingToRun extends CannotRun {
  readonly missing: readonly string[];

  constructor(missing: readonly string[]) {
    super(['nothing is left to run', ...missing].join('\n  '));
    this.missing = missing;
  }
}

export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const started = new Date();
  const { environment = {}, notes = [] } = options;
  const dropped = settleEnvironment(environment);
  const floor = findFloor();
  const plan = makePlan(options, {
    floor,
    addonMissing: addonStatus().addon ? undefined : (addonStatus().reason ?? new Error('no reason given')),
    nginx: findNginx(),
    descriptors: descriptorLimit(),
  });
  if (plan.series.length === 0) throw new NothingToRun(plan.skipped);
  const { host, warnings: hostWarnings } = await inspectHost();
  const warnings = [
    ...hostWarnings,
    ...dropped.map((name) => `${name} is set and not handed on to what is measured: --env ${name} does so`),
  ];
  const grain = timerGrain();
  const { cores, reason } = findPlacement();
  if (reason !== undefined) warnings.push(`processes run where the scheduler puts them: ${reason}`);
  for (const warning of [...warnings, ...notes, ...plan.skipped]) options.onWarning(warning);
  return withFolder('nearwire-bench-', SOCKET_NAME, async (folder) => {
    const {
      results,
      failures,
      dropped: unrun,
    } = await runRounds(plan, options, {
      lineup: plan.lineup,
      floor,
      folder,
      cores,
      signal: options.signal,
    });
    const cells = results.flatMap(cellsOf);
    return {
      host,
      versions: readVersions(),
      lineup: plan.lineup,
      environment,
      command: options.command,
      started: started.toISOString(),
      seconds: Math.round((Date.now() - started.getTime()) / 100) / 10,
      results,
      cells,
      ratios: results.flatMap((result) => ratiosOf(result, plan.lineup)),
      latencies: results.flatMap(latenciesOf),
      warnings: [...warnings, ...unrun, ...sampleWarnings(results), ...grainWarnings(cells, grain)],
      skipped: [...notes, ...plan.skipped],
      failures,
      interrupted: options.signal.aborted,
    };
  });
}

interface Turn {
  readonly round: number;
  readonly series: Series;
  readonly subjects: readonly SubjectName[];
}

function turnsOf(plan: Plan): Turn[] {
  const turns: Turn[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    for (const series of plan.series) {
      const subjects = orderOf(series, plan, round);
      if (subjects.length > 0) turns.push({ round, series, subjects });
    }
  }
  return turns;
}

interface Rounds {
  readonly results: SeriesResult[];
  readonly failures: string[];
  readonly dropped: string[];
}

async function runRounds(plan: Plan, options: BenchOptions, context: CellContext): Promise<Rounds> {
  const startedAt = performance.now();
  const offers = await offersOf(plan, options, context);
  const turns = turnsOf(plan).filter(({ series }) => !isOpenLoop(series) || offers.rates.has(series));
  const cells = new Map<BenchCase, number>();
  for (const { series, subjects } of turns) {
    cells.set(series.case, (cells.get(series.case) ?? 0) + cellsOfTurn(series.case, subjects).length);
  }
  const total = [...cells.values()].reduce((sum, count) => sum + count, 0);
  const pacer = new Pacer(plan.mode, cells, !plan.allRounds, startedAt, plan.pace);
  const samples = new Map<Series, Sample[]>(plan.series.map((series) => [series, []]));
  const failures = [...offers.failures];
  const dropped: string[] = [];
  // It may change at any await: a call, as the compiler would remember what a property was.
  const isAborted = (): boolean => options.signal.aborted;
  let done = 0;
  for (const { round, series, subjects } of turns) {
    if (isAborted()) break;
    const cellsOfThis = cellsOfTurn(series.case, subjects);
    if (!pacer.hasTimeFor(series.case, cellsOfThis.length, performance.now())) {
      dropped.push(
        `slow machine: the time budget ended in round ${String(round + 1)} of ${String(plan.rounds)}, ` +
          'name the rounds (--rounds) to run them all',
      );
      break;
    }
    const seconds = pacer.stretch(series.case, performance.now());
    for (const together of cellsOfThis) {
      const [subject = ''] = together;
      options.onProgress({
        done,
        total,
        round: round + 1,
        rounds: plan.rounds,
        label: `${series.case.name} ${together.join(' ')} ${series.family === 'none' ? '' : series.family}`.trim(),
        remainingSeconds: pacer.remainingSeconds(performance.now()),
      });
      const begun = performance.now();
      try {
        const warmUp = cellWarmUpOf(series.case, subjectNamed(subject, plan.lineup), plan.mode);
        const timing = { warmUp, seconds, offered: offers.rates.get(series) };
        samples.get(series)?.push(...(await runCell(series, together, round, timing, context)));
      } catch (error) {
        if (isAborted()) break;
        if (!(error instanceof PeerError)) throw error;
        failures.push(error.message);
      }
      pacer.took(series.case, performance.now() - begun, seconds);
      done++;
    }
  }
  const results = plan.series.map((series) => ({
    ...{ series, samples: samples.get(series) ?? [], offered: offers.rates.get(series) },
  }));
  return { results, failures, dropped };
}

function offersOf({ mode, series, rounds }: Plan, { onProgress }: RunControl, context: CellContext): Promise<Offers> {
  return measureOffers(mode, series, context, (label, done, total) => {
    const phase = 'what node:net answers at most';
    onProgress({ done, total, round: 0, rounds, label, phase, remainingSeconds: 0 });
  });
}
