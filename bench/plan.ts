/** What is run: the series, and the rounds in which each takes part. */
import { execFileSync } from 'node:child_process';

import { CASES } from './cases/index.js';
import { formatBytes } from './format.js';
import type { BenchCase, Family, Mode, Params, Series, SubjectName } from './model.js';
import { balancedOrders } from './orders.js';
import { PACES, type Pace } from './pace.js';
import { subjectNamed, SUBJECTS, type Subject } from './subjects.js';

/** The user's choices; everything is run where none is given. */
export interface Choice {
  readonly mode: Mode;
  readonly cases?: readonly string[];
  readonly subjects?: readonly SubjectName[];
  readonly families?: readonly Family[];
  readonly rounds?: number;
  /** Replaces the sizes of cases that have the parameter `bytes`. */
  readonly bytes?: readonly number[];
  /** Replaces the mode's pace: all cases and subjects take part in all of its rounds. */
  readonly pace?: Pace;
  /** The possible subjects: the built-in ones, and those added by the user. */
  readonly lineup?: readonly Subject[];
  /** Notes about added subjects, shown with what is left out. */
  readonly notes?: readonly string[];
  /** Variables passed on to the measured processes. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The available means. */
export interface Means {
  /** What is missing, and why. */
  readonly missing: Readonly<Partial<Record<'floor' | 'addon' | 'nginx', string>>>;
  /** The hard limit of open descriptors. */
  readonly descriptors: number;
}

export interface Plan {
  readonly mode: Mode;
  readonly pace: Pace;
  readonly lineup: readonly Subject[];
  readonly series: readonly Series[];
  readonly rounds: number;
  /** The user set the number of rounds: everything runs in all of them, without a time budget. */
  readonly allRounds: boolean;
  readonly skipped: readonly string[];
}

export function makePlan(choice: Choice, means: Means): Plan {
  const { mode, lineup = SUBJECTS } = choice;
  const pace = choice.pace ?? PACES[mode];
  const rounds = choice.rounds ?? pace.rounds;
  const ownRounds = choice.rounds ?? choice.pace?.rounds;
  const skipped = new Set<string>();
  const cases = CASES.filter(({ name, onlyNamed }) => choice.cases?.includes(name) ?? !onlyNamed);
  const series = cases.flatMap((benchCase) => {
    if (benchCase.client === 'floor' && means.missing.floor !== undefined) {
      skipped.add(`${benchCase.name}: its load comes from the plain C program, which ${means.missing.floor}`);
      return [];
    }
    const most = benchCase.rounds?.[mode] ?? rounds;
    return familiesOf(benchCase, choice).flatMap(([family, planned]) => {
      const subjects = subjectsOf(benchCase, family, { ...choice, lineup }, means, skipped);
      if (subjects.length === 0) return [];
      return sized(benchCase, planned, choice, skipped)
        .flatMap((params) => withinLimits(benchCase, params, means, skipped))
        .map((params) => ({
          ...{ case: benchCase, params, family, subjects },
          rounds: ownRounds ?? Math.min(most, family === 'tcp' ? pace.tcpRounds : rounds),
        }));
    });
  });
  return { mode, pace, lineup, series, rounds, allRounds: choice.rounds !== undefined, skipped: [...skipped] };
}

function familiesOf(benchCase: BenchCase, { mode, cases, families }: Choice): [Family, readonly Params[]][] {
  const plans = (cases && benchCase.namedPlan) ?? benchCase.plan;
  const plan = plans[mode] ?? plans.default;
  if (plan.none) return [['none', plan.none]];
  // A family requested by name runs even if the mode leaves it out.
  const unplanned = (family: Family): readonly Params[] => (families ? (plans.default[family] ?? plan.unix ?? []) : []);
  return (families ?? (['unix', 'tcp'] as const)).map((family) => [family, plan[family] ?? unplanned(family)]);
}

/** Uses the requested sizes, each with all other parameters of the case. */
function sized(
  { name, client, leastBytes = 0 }: BenchCase,
  planned: readonly Params[],
  { bytes }: Choice,
  skipped: Set<string>,
): readonly Params[] {
  if (!bytes || client === 'none' || !planned.some((params) => 'bytes' in params)) return planned;
  const others = new Map(planned.map((params) => [JSON.stringify({ ...params, bytes: 0 }), params]));
  const small = bytes.filter((size) => size < leastBytes).map(formatBytes);
  if (small.length > 0)
    skipped.add(`${name}: ${small.join(', ')} left out, as it begins at ${formatBytes(leastBytes)}`);
  return bytes
    .filter((size) => size >= leastBytes)
    .flatMap((size) => [...others.values()].map((params) => ({ ...params, bytes: size })));
}

function subjectsOf(
  benchCase: BenchCase,
  family: Family,
  { subjects, families, lineup = [] }: Choice,
  { missing }: Means,
  skipped: Set<string>,
): SubjectName[] {
  const able = lineup.filter(
    (subject) =>
      (subjects?.includes(subject.name) ?? true) &&
      subject.cases.includes(benchCase.name) &&
      (families !== undefined || subject.families?.includes(family) !== false),
  );
  return able.flatMap((subject) => {
    const why = reasonOf(subject, missing);
    if (why === undefined) return [subject.name];
    skipped.add(`${subject.name}: ${why}`);
    return [];
  });
}

/** The reason why it cannot be run, if any. */
function reasonOf({ program, needsAddon }: Subject, missing: Means['missing']): string | undefined {
  if (program === 'nginx') return missing.nginx;
  // The clients of an attached server are plain C.
  if (program !== 'worker') return missing.floor && `the plain C program ${missing.floor}`;
  return needsAddon ? missing.addon : undefined;
}

/** Cases with very many connections, whose result is the same with fewer. */
const FEWER_WILL_DO = ['idle', 'storm', 'crowd'];
/**
 * Descriptors that a process has open in addition to its connections: standard streams, epoll, the listener, Node's
 * own.
 */
const SPARE_DESCRIPTORS = 64;

/**
 * If the system does not allow this many connections per process: fewer of them, or none if the number itself is the
 * subject of the case.
 */
function withinLimits({ name }: BenchCase, params: Params, { descriptors }: Means, skipped: Set<string>): Params[] {
  const { connections = 0, idle = 0 } = params;
  const wanted = Number(connections) + Number(idle);
  const room = descriptors - SPARE_DESCRIPTORS;
  if (wanted <= room) return [params];
  const reason = `as a process may have ${String(descriptors)} descriptors at most (ulimit -Hn)`;
  const fewer = FEWER_WILL_DO.includes(name);
  const what = fewer
    ? `${String(room)} connections instead of ${String(wanted)}`
    : `${String(wanted)} connections are left out`;
  skipped.add(`${name}: ${what}, ${reason}`);
  return fewer ? [{ ...params, connections: room }] : [];
}

/** Node and the C program raise their soft limit to the hard one by themselves. */
export function descriptorLimit(): number {
  const answer = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return answer === 'unlimited' ? Infinity : Number(answer);
}

/**
 * Spreads them evenly over the rounds. All subjects of a series skip the same rounds, except for those with their own
 * limit.
 */
export function takesPart(rounds: number, of: number, round: number): boolean {
  if (rounds >= of) return true;
  return round === 0 || Math.floor((round * rounds) / of) !== Math.floor(((round - 1) * rounds) / of);
}

/** The subjects of a series in a round. The order rotates, so that no subject always follows the same one. */
export function orderOf(series: Series, { mode, lineup, rounds, allRounds }: Plan, round: number): SubjectName[] {
  if (!takesPart(series.rounds, rounds, round)) return [];
  const present = series.subjects.filter((name) => {
    const own = subjectNamed(name, lineup).rounds?.[mode] ?? rounds;
    return allRounds || takesPart(own, rounds, round);
  });
  const orders = balancedOrders(present.length);
  const before = Array.from({ length: round }, (_, i) => i).filter((i) => takesPart(series.rounds, rounds, i));
  return (orders[before.length % orders.length] ?? []).flatMap((at) => present[at] ?? []);
}

/** A series in a round. */
export interface Turn {
  readonly round: number;
  readonly series: Series;
  /** The subjects that are measured in the same processes: each of them alone, or all together in one. */
  readonly cells: readonly (readonly SubjectName[])[];
}

export function turnsOf(plan: Plan): Turn[] {
  const turns = Array.from({ length: plan.rounds }, (_, round) =>
    plan.series.flatMap((series) => {
      const subjects = orderOf(series, plan, round);
      if (subjects.length === 0) return [];
      const cells = series.case.client === 'none' ? [subjects] : subjects.map((subject) => [subject]);
      return [{ round, series, cells }];
    }),
  );
  return turns.flat();
}
