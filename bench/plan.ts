/** What is run: the series, the rounds each takes part in, and how the time budget is spread over the cells. */
import { execFileSync } from 'node:child_process';

import { IDLE_CONNECTIONS } from './cases/idle.js';
import { CASES } from './cases/index.js';
import type { BenchCase, Family, Mode, Params, Series, SubjectName } from './model.js';
import { subjectNamed, SUBJECTS } from './subjects.js';

/** What the user chose; what is not given is everything. */
export interface Choice {
  readonly mode: Mode;
  readonly cases?: readonly string[];
  readonly subjects?: readonly SubjectName[];
  readonly families?: readonly Family[];
  readonly rounds?: number;
}

/** What there is to run it with. */
export interface Means {
  readonly floor: string | undefined;
  /** Why the addon is not there, if it is not. */
  readonly addonMissing: Error | undefined;
  /** The hard limit of open descriptors. */
  readonly descriptors: number;
}

export interface Plan {
  readonly mode: Mode;
  readonly series: readonly Series[];
  readonly rounds: number;
  /** The user named the number of rounds: everything is run in all of them, and the time budget ends nothing. */
  readonly allRounds: boolean;
  readonly skipped: readonly string[];
}

interface Pace {
  readonly rounds: number;
  /** TCP is there to be compared with UNIX; its ratios need no acceptance. */
  readonly tcpRounds: number;
  /** Seconds for everything: under the two and eight minutes that are promised, with room for a slow start. */
  readonly budget: number;
  /** Seconds of a measured stretch: short ones are noise, long ones add little. */
  readonly shortest: number;
  readonly longest: number;
}

export const PACES: Readonly<Record<Mode, Pace>> = {
  default: { rounds: 7, tcpRounds: 3, budget: 460, shortest: 0.2, longest: 0.8 },
  quick: { rounds: 3, tcpRounds: 2, budget: 105, shortest: 0.1, longest: 0.4 },
};

/** Descriptors that a process has open besides its connections: standard streams, epoll, the listener, Node's own. */
const SPARE_DESCRIPTORS = 64;

export function makePlan(choice: Choice, means: Means): Plan {
  const pace = PACES[choice.mode];
  const rounds = choice.rounds ?? pace.rounds;
  const skipped = new Set<string>();
  const series: Series[] = [];
  for (const benchCase of CASES) {
    if (choice.cases && !choice.cases.includes(benchCase.name)) continue;
    if (benchCase.kind === 'peers' && benchCase.client === 'floor' && means.floor === undefined) {
      skipped.add(
        `${benchCase.name}: its load comes from the plain C program, which is not built (npm run build:native)`,
      );
      continue;
    }
    for (const [family, paramsList] of familiesOf(benchCase, choice)) {
      const subjects = subjectsOf(benchCase, choice, means, skipped);
      if (subjects.length === 0) continue;
      for (const params of paramsList) {
        series.push({
          case: benchCase,
          params: withinLimits(benchCase, params, means, skipped),
          family,
          subjects,
          rounds:
            choice.rounds ??
            Math.min(benchCase.rounds?.[choice.mode] ?? rounds, family === 'tcp' ? pace.tcpRounds : rounds),
        });
      }
    }
  }
  return { mode: choice.mode, series, rounds, allRounds: choice.rounds !== undefined, skipped: [...skipped] };
}

function familiesOf(benchCase: BenchCase, choice: Choice): [Family, readonly Params[]][] {
  const plan = benchCase.plan[choice.mode];
  if (benchCase.kind === 'micro') return [['none', plan.none ?? []]];
  // A family that is asked for by name is run even where the mode leaves it out.
  const families: readonly Family[] = choice.families ?? ['unix', 'tcp'];
  const unplanned = (family: Family): readonly Params[] =>
    choice.families ? (benchCase.plan.default[family] ?? plan.unix ?? []) : [];
  return families.map((family) => [family, plan[family] ?? unplanned(family)]);
}

function subjectsOf(benchCase: BenchCase, choice: Choice, means: Means, skipped: Set<string>): SubjectName[] {
  return SUBJECTS.filter((subject) => {
    if (choice.subjects && !choice.subjects.includes(subject.name)) return false;
    if (!subject.cases.includes(benchCase.name)) return false;
    if (subject.needsAddon && means.addonMissing) {
      skipped.add(`${subject.name}: the addon did not load: ${firstLine(means.addonMissing.message)}`);
      return false;
    }
    if (subject.program === 'floor' && means.floor === undefined) {
      skipped.add(`${subject.name}: the plain C program is not built (npm run build:native)`);
      return false;
    }
    return true;
  }).map((subject) => subject.name);
}

/** What a failing require tells in the further lines is who asked for it. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** Fewer idle connections where the system does not let a process hold so many. */
function withinLimits(benchCase: BenchCase, params: Params, means: Means, skipped: Set<string>): Params {
  const { connections } = params;
  if (benchCase.name !== 'idle' || typeof connections !== 'number') return params;
  const room = means.descriptors - SPARE_DESCRIPTORS;
  if (connections <= room) return params;
  skipped.add(
    `idle: ${String(room)} connections instead of ${String(IDLE_CONNECTIONS)}, as a process may have ` +
      `${String(means.descriptors)} descriptors at most (ulimit -Hn)`,
  );
  return { ...params, connections: room };
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
    (name) => plan.allRounds || takesPart(subjectNamed(name).rounds?.[plan.mode] ?? plan.rounds, plan.rounds, round),
  );
  const first = round % Math.max(1, present.length);
  return [...present.slice(first), ...present.slice(0, first)];
}

/** Seconds of load before the stretch. */
export function warmupOf(benchCase: BenchCase, subject: SubjectName, mode: Mode): number {
  // tinybench warms up by itself.
  if (benchCase.kind === 'micro') return 0;
  const warmup = benchCase.warmup[mode];
  return subjectNamed(subject).program === 'floor' ? Math.min(warmup, COMPILED_WARMUP) : warmup;
}

/**
 * Spreads what is left of the budget over the cells that are still to run. What a cell costs besides its stretch (two
 * processes to start and end, warm-up) is measured as the run goes on.
 */
export class Pacer {
  private readonly pace: Pace;
  private readonly bounded: boolean;
  private readonly startedAt: number;
  private readonly cells: number;
  private done = 0;
  private overhead = 0;

  /** `bounded`: the budget ends the run; not so if the user named the number of rounds. */
  constructor(mode: Mode, cells: number, bounded: boolean, now: number) {
    this.pace = PACES[mode];
    this.cells = cells;
    this.bounded = bounded;
    this.startedAt = now;
  }

  /** Seconds of the measured stretch: the same for all subjects of a series in a round. */
  stretch(benchCase: BenchCase, now: number): number {
    if (benchCase.kind === 'peers' && benchCase.fixedSeconds !== undefined) return benchCase.fixedSeconds;
    const share = this.secondsLeft(now) / Math.max(1, this.cells - this.done) - this.overheadOfACell();
    const seconds = Math.min(this.pace.longest, Math.max(this.pace.shortest, share));
    return Math.round(seconds * 1e3) / 1e3;
  }

  /** A cell has run. */
  took(milliseconds: number, stretch: number): void {
    this.done++;
    this.overhead += milliseconds / 1e3 - stretch;
  }

  /** Is there time for so many cells more? */
  hasTimeFor(cells: number, now: number): boolean {
    if (!this.bounded) return true;
    return this.secondsLeft(now) > cells * (this.overheadOfACell() + this.pace.shortest);
  }

  /** Of the whole run, as it looks now; for a progress bar. */
  remainingSeconds(now: number): number {
    if (this.done === 0) return this.pace.budget;
    return ((now - this.startedAt) / 1e3 / this.done) * (this.cells - this.done);
  }

  private secondsLeft(now: number): number {
    return this.pace.budget - (now - this.startedAt) / 1e3;
  }

  private overheadOfACell(): number {
    return this.done === 0 ? FIRST_GUESS_OF_OVERHEAD : this.overhead / this.done;
  }
}

/** Machine code needs no warming up but for caches and the kernel's. */
const COMPILED_WARMUP = 0.05;
/** Seconds; two Node processes, until the first cell has shown what it is here. */
const FIRST_GUESS_OF_OVERHEAD = 0.5;
