/** What is run: the series, the rounds each takes part in, and how the time budget is spread over the cells. */
import { execFileSync } from 'node:child_process';

import { CASES } from './cases/index.js';
import { formatBytes } from './format.js';
import type { BenchCase, Family, Mode, Params, Series, SubjectName } from './model.js';
import { balancedOrders } from './orders.js';
import { subjectNamed, SUBJECTS, type Subject } from './subjects.js';

/** What the user chose; what is not given is everything. */
export interface Choice {
  readonly mode: Mode;
  readonly cases?: readonly string[];
  readonly subjects?: readonly SubjectName[];
  readonly families?: readonly Family[];
  readonly rounds?: number;
  /** In the place of the sizes that cases have: for those whose `bytes` are a parameter. */
  readonly bytes?: readonly number[];
  /** Instead of the mode's: all cases and subjects take part in all of its rounds. */
  readonly pace?: Pace;
  /** What can be chosen from: the built-in subjects, and those that the user brings. */
  readonly lineup?: readonly Subject[];
  /** Of those that the user brings, told with what is left out. */
  readonly notes?: readonly string[];
  /** Variables that are handed on to what is measured. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What there is to run it with. */
export interface Means {
  readonly floor: string | undefined;
  /** Why the addon is not there, if it is not. */
  readonly addonMissing: Error | undefined;
  /** nginx's program, or why there is none. */
  readonly nginx: string | Error;
  /** The hard limit of open descriptors. */
  readonly descriptors: number;
}

export interface Plan {
  readonly mode: Mode;
  readonly pace: Pace;
  readonly lineup: readonly Subject[];
  readonly series: readonly Series[];
  readonly rounds: number;
  /** The user named the number of rounds: everything is run in all of them, and the time budget ends nothing. */
  readonly allRounds: boolean;
  readonly skipped: readonly string[];
}

export interface Pace {
  readonly rounds: number;
  /** TCP is there to be compared with UNIX; its ratios need no acceptance. */
  readonly tcpRounds: number;
  /** Seconds for everything: under the two and ten minutes that are promised, with room for a slow start. */
  readonly budget: number;
  /** Seconds of a measured stretch: short ones are noise, long ones add little. */
  readonly shortest: number;
  readonly longest: number;
}

/** Of the budget, kept for cells that take longer than they did before: the last round is not to lose its last cases. */
const RESERVE = 0.04;

export const PACES: Readonly<Record<Mode, Pace>> = {
  default: { rounds: 7, tcpRounds: 3, budget: 574, shortest: 0.15, longest: 0.8 },
  quick: { rounds: 3, tcpRounds: 2, budget: 114, shortest: 0.1, longest: 0.4 },
};

/** Descriptors that a process has open besides its connections: standard streams, epoll, the listener, Node's own. */
const SPARE_DESCRIPTORS = 64;

export function makePlan(choice: Choice, means: Means): Plan {
  const pace = choice.pace ?? PACES[choice.mode];
  const rounds = choice.rounds ?? pace.rounds;
  const ownRounds = choice.rounds ?? choice.pace?.rounds;
  const skipped = new Set<string>();
  const series: Series[] = [];
  for (const benchCase of CASES) {
    if (choice.cases ? !choice.cases.includes(benchCase.name) : benchCase.onlyNamed) continue;
    if (benchCase.kind === 'peers' && benchCase.client === 'floor' && means.floor === undefined) {
      skipped.add(
        `${benchCase.name}: its load comes from the plain C program, which is not built (npm run build:native)`,
      );
      continue;
    }
    for (const [family, paramsList] of familiesOf(benchCase, choice)) {
      const subjects = subjectsOf(benchCase, family, choice, means, skipped);
      if (subjects.length === 0) continue;
      for (const wanted of sized(benchCase, paramsList, choice, skipped)) {
        const params = withinLimits(benchCase, wanted, means, skipped);
        if (!params) continue;
        series.push({
          case: benchCase,
          params,
          family,
          subjects,
          rounds:
            ownRounds ??
            Math.min(benchCase.rounds?.[choice.mode] ?? rounds, family === 'tcp' ? pace.tcpRounds : rounds),
        });
      }
    }
  }
  const { mode, lineup = SUBJECTS } = choice;
  return { mode, pace, lineup, series, rounds, allRounds: choice.rounds !== undefined, skipped: [...skipped] };
}

function familiesOf(benchCase: BenchCase, choice: Choice): [Family, readonly Params[]][] {
  const plans = (choice.cases && benchCase.namedPlan) ?? benchCase.plan;
  const plan = plans[choice.mode];
  if (benchCase.kind === 'micro') return [['none', plan.none ?? []]];
  // A family that is asked for by name is run even where the mode leaves it out.
  const families: readonly Family[] = choice.families ?? ['unix', 'tcp'];
  const unplanned = (family: Family): readonly Params[] =>
    choice.families ? (plans.default[family] ?? plan.unix ?? []) : [];
  return families.map((family) => [family, plan[family] ?? unplanned(family)]);
}

/** With the sizes that are asked for, each with all else that the case is run with. */
function sized(
  benchCase: BenchCase,
  planned: readonly Params[],
  { bytes }: Choice,
  skipped: Set<string>,
): readonly Params[] {
  if (!bytes || benchCase.kind === 'micro') return planned;
  const { name, leastBytes = 0 } = benchCase;
  const others = new Map(
    planned.filter((params) => 'bytes' in params).map((params) => [JSON.stringify({ ...params, bytes: 0 }), params]),
  );
  if (others.size === 0) return planned;
  const small = bytes.filter((size) => size < leastBytes).map(formatBytes);
  if (small.length > 0)
    skipped.add(`${name}: ${small.join(', ')} left out, as it begins at ${formatBytes(leastBytes)}`);
  return bytes
    .filter((size) => size >= leastBytes)
    .flatMap((size) => [...others.values()].map((params) => ({ ...params, bytes: size })));
}

/** An attached server has plain C at the other end. */
const NEED_FLOOR: readonly Subject['program'][] = ['floor', 'attached'];

function subjectsOf(
  benchCase: BenchCase,
  family: Family,
  choice: Choice,
  means: Means,
  skipped: Set<string>,
): SubjectName[] {
  return (choice.lineup ?? SUBJECTS)
    .filter((subject) => {
      if (choice.subjects && !choice.subjects.includes(subject.name)) return false;
      if (!subject.cases.includes(benchCase.name)) return false;
      if (!choice.families && subject.families && !subject.families.includes(family)) return false;
      if (subject.needsAddon && means.addonMissing) {
        skipped.add(`${subject.name}: the addon did not load: ${firstLine(means.addonMissing.message)}`);
        return false;
      }
      if (NEED_FLOOR.includes(subject.program) && means.floor === undefined) {
        skipped.add(`${subject.name}: the plain C program is not built (npm run build:native)`);
        return false;
      }
      if (subject.program === 'nginx' && means.nginx instanceof Error) {
        skipped.add(`nginx: ${means.nginx.message}`);
        return false;
      }
      return true;
    })
    .map((subject) => subject.name);
}

/** What a failing require tells in the further lines is who asked for it. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** Cases with very many connections, which say the same with less of them. */
const FEWER_WILL_DO = ['idle', 'storm', 'crowd'];

/**
 * Where the system does not let a process hold so many connections: fewer of them, or, where the number is what the case
 * is about, nothing.
 */
function withinLimits(benchCase: BenchCase, params: Params, means: Means, skipped: Set<string>): Params | undefined {
  const { connections, idle } = params;
  if (typeof connections !== 'number') return params;
  const wanted = connections + (typeof idle === 'number' ? idle : 0);
  const room = means.descriptors - SPARE_DESCRIPTORS;
  if (wanted <= room) return params;
  const reason = `as a process may have ${String(means.descriptors)} descriptors at most (ulimit -Hn)`;
  if (FEWER_WILL_DO.includes(benchCase.name)) {
    skipped.add(`${benchCase.name}: ${String(room)} connections instead of ${String(connections)}, ${reason}`);
    return { ...params, connections: room };
  }
  skipped.add(`${benchCase.name}: ${String(wanted)} connections are left out, ${reason}`);
  return undefined;
}

/** Node and the C program raise their soft limit to the hard one by themselves. */
export function descriptorLimit(): number {
  const answer = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return answer === 'unlimited' ? Infinity : Number(answer);
}

/** Spread evenly over the rounds, and all subjects of a series sit out the same ones but for those with a limit of their own. */
export function takesPart(rounds: number, of: number, round: number): boolean {
  if (rounds >= of) return true;
  return round === 0 || Math.floor((round * rounds) / of) !== Math.floor(((round - 1) * rounds) / of);
}

/** The subjects of a series in a round. The order is rotated, so that nobody always comes after the same. */
export function orderOf(series: Series, plan: Plan, round: number): SubjectName[] {
  if (!takesPart(series.rounds, plan.rounds, round)) return [];
  const present = series.subjects.filter(
    (name) =>
      plan.allRounds ||
      takesPart(subjectNamed(name, plan.lineup).rounds?.[plan.mode] ?? plan.rounds, plan.rounds, round),
  );
  const orders = balancedOrders(present.length);
  const before = Array.from({ length: round }, (_, i) => i).filter((i) => takesPart(series.rounds, plan.rounds, i));
  return (orders[before.length % orders.length] ?? []).flatMap((at) => present[at] ?? []);
}

/** Seconds of load before the stretch, as it is mostly. */
export function warmupOf(benchCase: BenchCase, subject: Subject, mode: Mode): number {
  // tinybench warms up by itself.
  if (benchCase.kind === 'micro') return 0;
  const warmup = benchCase.warmup[mode];
  return COMPILED.includes(subject.program) ? Math.min(warmup, COMPILED_WARMUP) : warmup;
}

/** The load before a stretch, in windows of so many seconds: one, or as many as it takes until a request's cost is level. */
export interface CellWarmUp {
  readonly window: number;
  /** Seconds, of all of them. */
  readonly longest?: number;
}

/** What is not compiled on the way has no level to reach: caches and pools fill at once. */
export function cellWarmUpOf(benchCase: BenchCase, subject: Subject, mode: Mode): CellWarmUp {
  const seconds = warmupOf(benchCase, subject, mode);
  if (seconds === 0 || COMPILED.includes(subject.program)) return { window: seconds };
  return { window: seconds / WINDOWS, longest: LONGEST * seconds };
}

/** How many cells of each case a run has. */
export type CellCounts = ReadonlyMap<BenchCase, number>;

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
  private readonly pace: Pace;
  private readonly mode: Mode;
  private readonly bounded: boolean;
  private readonly startedAt: number;
  private readonly accounts: ReadonlyMap<BenchCase, Account>;

  /** Not `bounded`: everything is run, whatever time it takes. */
  constructor(mode: Mode, cells: CellCounts, bounded: boolean, now: number, pace = PACES[mode]) {
    this.mode = mode;
    this.pace = pace;
    this.bounded = bounded;
    this.startedAt = now;
    this.accounts = new Map([...cells].map(([benchCase, left]) => [benchCase, { left, done: 0, overhead: 0 }]));
  }

  /** Seconds of the measured stretch: the same for all subjects of a series in a round. */
  stretch(benchCase: BenchCase, now: number): number {
    const fixed = fixedSecondsOf(benchCase, this.mode);
    if (fixed !== undefined) return fixed;
    let seconds = this.secondsLeft(now) - RESERVE * this.pace.budget;
    let cells = 0;
    for (const [other, account] of this.accounts) {
      seconds -= account.left * (this.overheadOf(other, account) + (fixedSecondsOf(other, this.mode) ?? 0));
      if (fixedSecondsOf(other, this.mode) === undefined) cells += account.left;
    }
    const share = Math.min(this.pace.longest, Math.max(this.pace.shortest, seconds / Math.max(1, cells)));
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
    if (!this.bounded) return true;
    const overhead = this.overheadOf(benchCase, this.accountOf(benchCase));
    return this.secondsLeft(now) > cells * (overhead + (fixedSecondsOf(benchCase, this.mode) ?? this.pace.shortest));
  }

  /** Of the whole run, as it looks now; for a progress bar. */
  remainingSeconds(now: number): number {
    let done = 0;
    let left = 0;
    for (const account of this.accounts.values()) {
      done += account.done;
      left += account.left;
    }
    return done === 0 ? this.pace.budget : ((now - this.startedAt) / 1e3 / done) * left;
  }

  private secondsLeft(now: number): number {
    return this.pace.budget - (now - this.startedAt) / 1e3;
  }

  private accountOf(benchCase: BenchCase): Account {
    const account = this.accounts.get(benchCase);
    if (!account) throw new RangeError(`${benchCase.name} is not of this run`);
    return account;
  }

  private overheadOf(benchCase: BenchCase, { done, overhead }: Account): number {
    if (done > 0) return overhead / done;
    if (benchCase.kind === 'micro') return FIRST_GUESS_OF_OVERHEAD;
    return FIRST_GUESS_OF_OVERHEAD + benchCase.warmup[this.mode] + (benchCase.setupSeconds ?? 0);
  }
}

function fixedSecondsOf({ fixedSeconds }: BenchCase, mode: Mode): number | undefined {
  return typeof fixedSeconds === 'object' ? fixedSeconds[mode] : fixedSeconds;
}

/** Of what a case usually takes; eight are the least. */
const WINDOWS = 12;
/** As much of what it usually takes: the rest of a case's time budget goes by it. */
const LONGEST = 1.5;
/** Machine code needs no warming up but for caches and the kernel's. */
const COMPILED: readonly Subject['program'][] = ['floor', 'nginx'];
const COMPILED_WARMUP = 0.05;
/** Seconds; two Node processes, until the first cell of the case has shown what it is here. */
const FIRST_GUESS_OF_OVERHEAD = 0.3;
