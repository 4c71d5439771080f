/** Which stacks are measured with which works, in which order, in how many rounds. */
import { hopName } from './hop-alone.js';
import type { CostOptions, CostResult, Hop, Program, ProgramName, Stack, Work, WorkName } from './model.js';
import { missingOf } from './programs.js';
import { worksOf } from './stacks/index.js';
import { ownWork, WORKS } from './works.js';

/** Of the default run: the twenty minutes that it may take, less what curves and overloads need. */
const BUDGET_SECONDS = { default: 15 * 60, quick: 45 };
/** More give narrower intervals, by less and less. */
const MOST_ROUNDS = { default: 7, quick: 5 };
/** Fewer tell nothing of how they vary. */
const FEWEST_ROUNDS = { default: 3, quick: 2 };
/** A first look asks for one thing. */
const QUICK_WORKS: readonly WorkName[] = ['hello'];
/** Besides hello world, which is in every round, the works take turns: of four each is in two of three rounds. */
const OTHERS_A_ROUND = 3;

export interface StackPlan {
  readonly stack: Stack;
  readonly works: readonly Work[];
}

export interface Plan {
  readonly stacks: readonly StackPlan[];
  readonly works: readonly Work[];
  readonly missing: CostResult['missing'];
  readonly quick: boolean;
  readonly rounds: number | undefined;
}

export function makePlan(options: CostOptions, programs: ReadonlyMap<ProgramName, Program>): Plan {
  const all = WORKS.map((work) => (work.name === 'own' ? ownWork(options.ownPath ?? work.path) : work));
  const missing: CostResult['missing'][number][] = [];
  const stacks: StackPlan[] = [];
  const asked = options.works ?? (options.quick ? quickWorks(options) : undefined);
  for (const stack of options.stacks) {
    const reason = missingOf(stack.needs, programs);
    if (reason !== undefined) {
      missing.push({ stack: stack.name, title: stack.title, reason });
      continue;
    }
    const names = worksOf(stack, { wsgi: options.wsgi, app: options.app, programs });
    const works = all.filter(({ name }) => names.includes(name) && (asked?.includes(name) ?? true));
    if (works.length > 0) stacks.push({ stack, works });
  }
  const works = all.filter((work) => stacks.some((plan) => plan.works.includes(work)));
  return { stacks, works, missing, quick: options.quick, rounds: options.rounds };
}

function quickWorks({ wsgi, app }: CostOptions): readonly WorkName[] {
  return wsgi === undefined && app === undefined ? QUICK_WORKS : [...QUICK_WORKS, 'own'];
}

/** In turn, so that no stack always follows the same other. */
export function stacksOfRound(plan: Plan, round: number): StackPlan[] {
  const works = worksOfRound(plan.works, round);
  const at = plan.stacks.length === 0 ? 0 : round % plan.stacks.length;
  return [...plan.stacks.slice(at), ...plan.stacks.slice(0, at)]
    .map(({ stack, works: own }) => ({ stack, works: own.filter((work) => works.includes(work)) }))
    .filter((turn) => turn.works.length > 0);
}

/** Hello world always, for it shows the hop best; the user's own too; of the others a few. */
export function worksOfRound(works: readonly Work[], round: number): readonly Work[] {
  const isConstant = ({ name }: Work): boolean => name === 'hello' || name === 'own';
  const others = works.filter((work) => !isConstant(work));
  const count = Math.min(OTHERS_A_ROUND, others.length);
  const turn = Array.from({ length: count }, (_, i) => others[(round * count + i) % others.length]);
  return works.filter((work) => isConstant(work) || turn.includes(work));
}

/** The kinds of hops that the stacks of a plan have, each once. */
export function hopsOf(stacks: readonly StackPlan[]): Hop[] {
  const hops = new Map<string, Hop>();
  for (const { stack } of stacks) if (stack.hop) hops.set(hopName(stack.hop), stack.hop);
  return [...hops.values()];
}

/** How many rounds there will be, as far as is known after `done` of them. */
export class RoundCount {
  private readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  after(done: number, seconds: number): number {
    const mode = this.plan.quick ? 'quick' : 'default';
    if (this.plan.rounds !== undefined) return this.plan.rounds;
    if (done === 0) return MOST_ROUNDS[mode];
    const fitting = Math.floor(BUDGET_SECONDS[mode] / (seconds / done));
    return Math.max(done, Math.min(MOST_ROUNDS[mode], Math.max(FEWEST_ROUNDS[mode], fitting)));
  }
}
