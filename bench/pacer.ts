/** How the time budget is spread over the cells, and how long each warms up. */
import type { BenchCase, Mode } from './model.js';
import type { Plan, Turn } from './plan.js';
import type { Subject } from './subjects.js';

/** Of the budget, kept for cells that take longer than they did before: the last round is not to lose its last cases. */
const RESERVE = 0.04;
/** Seconds; two Node processes, until the first cell of the case has shown what it is here. */
const FIRST_GUESS_OF_OVERHEAD = 0.3;

interface Account {
  /** Still to run. */
  left: number;
  done: number;
  /** Seconds that those done took besides their stretches. */
  overhead: number;
}

/**
 * Spreads what is left of the budget over the cells that are still to run. What a cell costs besides its stretch (two
 * processes to start and end, warm-up, connections to open) is measured as the run goes on, for each case: they differ
 * tenfold, and the dear ones come last.
 */
export class Pacer {
  private readonly plan: Plan;
  private readonly startedAt: number;
  private readonly accounts = new Map<BenchCase, Account>();

  constructor(plan: Plan, turns: readonly Turn[], now: number) {
    this.plan = plan;
    this.startedAt = now;
    for (const { series, cells } of turns) this.accountOf(series.case).left += cells.length;
  }

  /** Seconds of the measured stretch: the same for all subjects of a series in a round. */
  stretch({ fixedSeconds }: BenchCase, now: number): number {
    if (fixedSeconds !== undefined) return fixedSeconds;
    const { budget, shortest, longest } = this.plan.pace;
    let seconds = this.secondsLeft(now) - RESERVE * budget;
    let cells = 0;
    for (const [benchCase, { left }] of this.accounts) {
      seconds -= left * (this.overheadOf(benchCase) + (benchCase.fixedSeconds ?? 0));
      if (benchCase.fixedSeconds === undefined) cells += left;
    }
    const share = Math.min(longest, Math.max(shortest, seconds / Math.max(1, cells)));
    return Math.round(share * 1e3) / 1e3;
  }

  /** A cell has run. */
  took(benchCase: BenchCase, milliseconds: number, stretch: number): void {
    const account = this.accountOf(benchCase);
    account.left--;
    account.done++;
    account.overhead += milliseconds / 1e3 - stretch;
  }

  /** Is there time for so many cells more of this case? */
  hasTimeFor(benchCase: BenchCase, cells: number, now: number): boolean {
    const { allRounds, pace } = this.plan;
    const each = this.overheadOf(benchCase) + (benchCase.fixedSeconds ?? pace.shortest);
    return allRounds || this.secondsLeft(now) > cells * each;
  }

  private secondsLeft(now: number): number {
    return this.plan.pace.budget - (now - this.startedAt) / 1e3;
  }

  private accountOf(benchCase: BenchCase): Account {
    const account = this.accounts.get(benchCase) ?? { left: 0, done: 0, overhead: 0 };
    this.accounts.set(benchCase, account);
    return account;
  }

  private overheadOf(benchCase: BenchCase): number {
    const { done, overhead } = this.accountOf(benchCase);
    if (done > 0) return overhead / done;
    const { warmup, setupSeconds = 0 } = benchCase;
    return FIRST_GUESS_OF_OVERHEAD + (warmup?.[this.plan.mode] ?? 0) + setupSeconds;
  }
}

/** The load before a stretch, in windows of so many seconds: one, or as many as it takes until a request's cost is level. */
export interface CellWarmUp {
  readonly window: number;
  /** Seconds, of all of them. */
  readonly longest?: number;
}

/** Of what a case usually takes; eight are the least. */
const WINDOWS = 12;
/** As much of what it usually takes: the rest of a case's time budget goes by it. */
const LONGEST = 1.5;
/** Seconds. What is not compiled on the way has no level to reach: caches and pools, and the kernel's, fill at once. */
const COMPILED_WARMUP = 0.05;

export function warmUpOf({ warmup }: BenchCase, { program }: Subject, mode: Mode): CellWarmUp {
  const seconds = warmup?.[mode] ?? 0;
  if (program === 'floor' || program === 'nginx') return { window: Math.min(seconds, COMPILED_WARMUP) };
  return seconds === 0 ? { window: 0 } : { window: seconds / WINDOWS, longest: LONGEST * seconds };
}
