/** What a sweep runs, in which order, and how its time is spread over the cells. */
import { Page } from 'nearwire';

import type { BufferChoice, Family, Mode, SubjectName, SweepCell } from './model.js';
import { SUBJECTS } from './model.js';
import { formatBytes } from '../format.js';

const KIB = 1024;
const MIB = KIB * KIB;

/** What the user chose; what is not given is everything. */
export interface SweepChoice {
  readonly mode: Mode;
  readonly family: Family;
  readonly subjects?: readonly SubjectName[];
  readonly sizes?: readonly number[];
  /** The default is always among them: it is what the others are compared with. */
  readonly buffers?: readonly BufferChoice[];
  readonly rounds?: number;
}

export interface SweepPlan {
  readonly mode: Mode;
  readonly family: Family;
  readonly subjects: readonly SubjectName[];
  readonly sizes: readonly number[];
  readonly buffers: readonly BufferChoice[];
  readonly rounds: number;
  /** The user named the number of rounds: all are run, whatever time they take. */
  readonly allRounds: boolean;
  readonly skipped: readonly string[];
}

interface Pace {
  readonly rounds: number;
  /** Seconds for everything: under the ten minutes and the one that are promised. */
  readonly budget: number;
  /** Seconds of what is measured in a cell, its stalls not counted. */
  readonly shortest: number;
  readonly longest: number;
  readonly warmup: number;
  readonly sizes: readonly number[];
  readonly buffers: readonly BufferChoice[];
}

export const PACES: Readonly<Record<Mode, Pace>> = {
  default: {
    rounds: 5,
    budget: 560,
    shortest: 0.1,
    longest: 0.5,
    warmup: 0.03,
    sizes: [KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB],
    buffers: ['default', ...[64, 128, 256, 512, 1024, 2048, 4096, 8192].map((kib) => kib * KIB)],
  },
  quick: {
    rounds: 3,
    budget: 54,
    shortest: 0.05,
    longest: 0.3,
    warmup: 0.02,
    sizes: [16 * KIB, 256 * KIB, MIB, 4 * MIB],
    buffers: ['default', 128 * KIB, 512 * KIB, 2 * MIB, 8 * MIB],
  },
};

/** What there is to run it with. */
export interface Means {
  /** Why the addon is not there, if it is not. */
  readonly addonMissing: Error | undefined;
}

export function makeSweepPlan(choice: SweepChoice, { addonMissing }: Means): SweepPlan {
  const pace = PACES[choice.mode];
  const skipped: string[] = [];
  const wanted = SUBJECTS.filter(({ name }) => choice.subjects?.includes(name) ?? true);
  const subjects = wanted.filter(({ name }) => {
    if (addonMissing === undefined) return true;
    // It is what sets a buffer of node:net's sockets too.
    skipped.push(`${name}: the addon did not load: ${addonMissing.message.split('\n', 1)[0] ?? ''}`);
    return false;
  });
  const sizes = ordered(choice.sizes ?? pace.sizes);
  const small = sizes.filter((size) => size < Page.threshold).map(formatBytes);
  if (small.length > 0 && subjects.some(({ name }) => name === 'page')) {
    skipped.push(
      `page: ${small.join(', ')} left out: below ${formatBytes(Page.threshold)} a page is copied as any buffer is`,
    );
  }
  const buffers = (choice.buffers ?? pace.buffers).filter((buffer) => buffer !== 'default');
  return {
    mode: choice.mode,
    family: choice.family,
    subjects: subjects.map(({ name }) => name),
    sizes,
    buffers: ['default', ...ordered(buffers)],
    rounds: choice.rounds ?? pace.rounds,
    allRounds: choice.rounds !== undefined,
    skipped,
  };
}

function ordered(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

/**
 * The cells of a round. Those that are compared, the buffers of one size, come one after the other, of all subjects in turn;
 * each round begins with another of them, so that nobody always comes after the same.
 */
export function cellsOfRound({ subjects, sizes, buffers }: SweepPlan, round: number): SweepCell[] {
  return sizes.flatMap((size) =>
    rotated(buffers, round).flatMap((buffer) =>
      rotated(subjects, round)
        .filter((subject) => subject !== 'page' || size >= Page.threshold)
        .map((subject) => ({ subject, size, buffer })),
    ),
  );
}

function rotated<T>(values: readonly T[], by: number): T[] {
  const first = by % Math.max(1, values.length);
  return [...values.slice(first), ...values.slice(0, first)];
}

/** Spreads what is left of the budget over the cells that are still to run. */
export class SweepPacer {
  private readonly pace: Pace;
  private readonly bounded: boolean;
  private readonly startedAt: number;
  private left: number;
  private done = 0;
  /** Seconds that the cells took besides what they measured: starting processes, stalls, warm-up. */
  private overhead = 0;

  /** Not `bounded`: everything is run, whatever time it takes. */
  constructor(mode: Mode, cells: number, bounded: boolean, now: number) {
    this.pace = PACES[mode];
    this.bounded = bounded;
    this.startedAt = now;
    this.left = cells;
  }

  /** Seconds that the next cell may measure. */
  stretch(now: number): number {
    const { shortest, longest } = this.pace;
    const share = this.secondsLeft(now) / Math.max(1, this.left) - this.overheadOfOne();
    return Math.round(Math.min(longest, Math.max(shortest, share)) * 1e3) / 1e3;
  }

  took(milliseconds: number, stretch: number): void {
    this.left--;
    this.done++;
    this.overhead += milliseconds / 1e3 - stretch;
  }

  /** Is there time for so many cells more? */
  hasTimeFor(cells: number, now: number): boolean {
    return !this.bounded || this.secondsLeft(now) > cells * (this.overheadOfOne() + this.pace.shortest);
  }

  /** Of the whole sweep, as it looks now. */
  remainingSeconds(now: number): number {
    return this.done === 0 ? this.pace.budget : ((now - this.startedAt) / 1e3 / this.done) * this.left;
  }

  private secondsLeft(now: number): number {
    return this.pace.budget - (now - this.startedAt) / 1e3;
  }

  private overheadOfOne(): number {
    return this.done === 0 ? FIRST_GUESS_OF_OVERHEAD : this.overhead / this.done;
  }
}

/** Seconds; the stalls and the warm-up of a response that takes next to no time. */
const FIRST_GUESS_OF_OVERHEAD = 0.06;
