/** Distributes the time budget over the cells, and sets their warm-ups. */
import type { BenchCase, Mode } from './model.js';
import type { Plan, Turn } from './plan.js';
import type { Subject } from './subjects.js';

/**
 * Share of the budget reserved for cells that take longer than before, so that the last round does not lose its last
 * cases.
 */
const RESERVE = 0.04;
/** Seconds; two Node processes, until the first cell of the case has shown the actual overhead. */
const FIRST_GUESS_OF_OVERHEAD = 0.3;

interface Account {
  /** Cells still to run. */
  left: number;
  done: number;
  /** Seconds that finished cells took in addition to their stretches. */
  overhead: number;
}

/**
 * Distributes the rest of the budget over the remaining cells. A cell's overhead beyond its stretch (starting and
 * ending two processes, warm-up, opening connections) is measured during the run, for each case: overheads differ
 * tenfold, and the expensive cases come last.
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

  /** Records a finished cell. */
  took(benchCase: BenchCase, milliseconds: number, stretch: number): void {
    const account = this.accountOf(benchCase);
    account.left--;
    account.done++;
    account.overhead += milliseconds / 1e3 - stretch;
  }

  /** Whether there is time for this many more cells of this case. */
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

/**
 * The load before a stretch, in windows of this many seconds: one, or as many as it takes until a request's cost is
 * level.
 */
export interface CellWarmUp {
  readonly window: number;
  /** Maximum seconds of all windows together. */
  readonly longest?: number;
}

/** Windows per usual warm-up of a case; eight are the minimum. */
const WINDOWS = 12;
/** The maximum as a multiple of the usual warm-up: the rest of a case's time budget depends on it. */
const LONGEST = 1.5;
/** Seconds. Compiled programs have no JIT to wait for: their caches and pools, and the kernel's, fill at once. */
const COMPILED_WARMUP = 0.05;

export function warmUpOf({ warmup }: BenchCase, { program }: Subject, mode: Mode): CellWarmUp {
  const seconds = warmup?.[mode] ?? 0;
  if (program === 'floor' || program === 'nginx') return { window: Math.min(seconds, COMPILED_WARMUP) };
  return seconds === 0 ? { window: 0 } : { window: seconds / WINDOWS, longest: LONGEST * seconds };
}
