/** Which chains a run measures, and what is changed in the first one. */
import { NothingToRun } from '../run.js';
import { chainOf, changeOf, stackConfiguration, type Chain, type Change } from './configurations.js';
import type { Program, ProgramName, Stack, StackPlace, Work } from './model.js';
import { missingOf } from './programs.js';
import { stackNamed } from './stacks/index.js';
import { emptyWork, HELLO, ownWork } from './works.js';

export interface CostChoice {
  /** The stacks that are named, in that order; undefined: those that most ask about. */
  readonly stacks: readonly Stack[] | undefined;
  /** The user's own applications, and what is asked of them. */
  readonly app: StackPlace['app'];
  readonly wsgi: StackPlace['wsgi'];
  readonly ownPath: string;
  /** What is asked of an application of ours, in place of nothing. */
  readonly work: Work | undefined;
  /** Of all answers; undefined: as many as the application's has, or hello world's. */
  readonly bytes: number | undefined;
}

export interface CostPlan {
  readonly chains: readonly Chain[];
  readonly changes: readonly Change[];
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/** A stack with what is asked of its application; undefined: nothing but to answer. */
export interface Row {
  readonly stack: Stack;
  readonly app: Work | undefined;
}

export interface Rows {
  /** Measured in layers. */
  readonly chains: readonly Row[];
  /** Held against the whole of the first chain. */
  readonly others: readonly Row[];
  readonly notes: readonly string[];
}

/** The length of an application's answer, where only asking tells. */
export type AnswerBytes = (row: Row) => number;

const NODE_STACK = 'nginx-node-unix-keep';
const PYTHON_STACK = 'nginx-uwsgi-unix';
/** Of the Node stack. */
const CHANGES = [
  ['TCP instead of the UNIX socket', 'nginx-node-tcp-keep'],
  ['a connection for each request', 'nginx-node-unix-close'],
  ['nearwire/http instead of node:http', 'nginx-nearwire-unix-keep'],
  ['nearwire/uwsgi, a connection for each', 'nginx-nearwireuwsgi-unix'],
] as const;

/** Throws NothingToRun where a program is missing without which there is nothing to measure. */
export function rowsOf(choice: CostChoice, programs: ReadonlyMap<ProgramName, Program>): Rows {
  const { rows, notes } = presentRows(choice, programs);
  const [first, ...rest] = rows;
  if (first === undefined) throw new NothingToRun(notes);
  if (choice.stacks === undefined) return { chains: rows, others: [], notes };
  const others = rest.filter((row) => row.app?.name === first.app?.name);
  const unlike = rest.filter((row) => !others.includes(row));
  return {
    chains: [first],
    others,
    notes: [
      ...notes,
      ...unlike.map(({ stack }) => `${stack.name} is left out: it does not run what ${first.stack.name} runs`),
    ],
  };
}

function presentRows(
  choice: CostChoice,
  programs: ReadonlyMap<ProgramName, Program>,
): { readonly rows: readonly Row[]; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const rows = (choice.stacks ?? usualStacks(choice)).flatMap((stack) => {
    const missing = missingOf(
      [...stack.needs, ...(choice.work?.name === 'page' ? (['python3-jinja2'] as const) : [])],
      programs,
    );
    const app = appOf(choice, stack);
    const isDone = app === undefined ? canAnswer(stack, choice.bytes) : stack.works.includes(app.name);
    if (missing === undefined && isDone) return [{ stack, app }];
    const reason = missing ?? `it does not do ${app?.path ?? `answers of ${String(choice.bytes)} bytes`}`;
    notes.push(`${stack.name} is left out: ${reason}`);
    return [];
  });
  return { rows, notes };
}

/** Who names one application asks about that. */
function usualStacks({ app, wsgi, work }: CostChoice): readonly Stack[] {
  const wantsNode = (app !== undefined || wsgi === undefined) && work?.name !== 'page';
  const wantsPython = wsgi !== undefined || app === undefined;
  return [...(wantsNode ? [NODE_STACK] : []), ...(wantsPython ? [PYTHON_STACK] : [])].map(stackNamed);
}

function canAnswer({ works }: Stack, bytes: number | undefined): boolean {
  return bytes === undefined || works.includes(emptyWork(bytes).name);
}

/** undefined: none, but what does nothing. */
function appOf({ app, wsgi, ownPath, work }: CostChoice, { language, works }: Stack): Work | undefined {
  const isOwn = (language === 'node' && app !== undefined) || (language === 'python' && wsgi !== undefined);
  return isOwn && works.includes('own') ? ownWork(ownPath) : work;
}

/** Throws NothingToRun where a stack can't answer as long as its application does. */
export function planOf(
  { chains: rows, others, notes }: Rows,
  bytes: CostChoice['bytes'],
  answerBytes: AnswerBytes,
): CostPlan {
  const chains = rows.map((row) => {
    const { answerBytes: ofWork } = row.app ?? HELLO;
    return chainOf(row.stack, bytes ?? ofWork ?? answerBytes(row), row.app);
  });
  const [first] = chains;
  const whole = first?.steps.at(-1)?.configuration;
  if (first === undefined || whole === undefined) throw new NothingToRun(notes);
  const changes =
    rows[0]?.stack.name === NODE_STACK && others.length === 0
      ? CHANGES.map(([title, name]) => changeOf(title, name, first))
      : others.map(({ stack }) => ({
          title: stack.title,
          configuration: stackConfiguration(stack, whole.work),
          insteadOf: whole,
        }));
  return { chains, changes, notes };
}
