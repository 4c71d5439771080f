/** Which chains a run measures, and what is changed in the first one. */
import { NothingToRun } from '../run.js';
import { chainOf, changeOf, stackConfiguration, type Chain, type Change } from './configurations.js';
import type { Program, Stack, StackPlace, Work } from './model.js';
import { missingOf, type ProgramName } from './programs.js';
import { stackNamed } from './stacks/index.js';
import { emptyWork, HELLO, ownWork } from './works.js';

export interface CostChoice {
  /** The named stacks, in that order; undefined: the most common ones. */
  readonly stacks: readonly Stack[] | undefined;
  /** The user's own applications, and the path requested from them. */
  readonly app: StackPlace['app'];
  readonly wsgi: StackPlace['wsgi'];
  readonly ownPath: string;
  /** The work of the built-in application; undefined: none. */
  readonly work: Work | undefined;
  /** The size of all responses; undefined: that of the application's, or of hello world. */
  readonly bytes: number | undefined;
}

export interface CostPlan {
  /** Measured in layers. */
  readonly chains: readonly Chain[];
  /** Compared with the first chain. */
  readonly changes: readonly Change[];
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/** Requests the length of an application's response, if it is not known. */
export type AskLength = (stack: Stack, app: Work) => Promise<number>;

const NODE_STACK = 'nginx-node-unix-keep';
const PYTHON_STACK = 'nginx-uwsgi-unix';
/** The changes to the Node stack that are measured. */
const CHANGES = [
  ['TCP instead of the UNIX socket', 'nginx-node-tcp-keep'],
  ['a connection per request', 'nginx-node-unix-close'],
  ['nearwire/http instead of node:http', 'nginx-nearwire-unix-keep'],
  ['nearwire/uwsgi, a connection per request', 'nginx-nearwireuwsgi-unix'],
] as const;

/** Throws NothingToRun, before any request, if nothing can be measured as requested. */
export async function planOf(
  choice: CostChoice,
  programs: ReadonlyMap<ProgramName, Program>,
  askLength: AskLength,
): Promise<CostPlan> {
  const notes: string[] = [];
  const rows = (choice.stacks ?? usualStacks(choice)).flatMap((stack) => {
    const app = appOf(choice, stack);
    const reason = whyNot(stack, app, choice, programs);
    if (reason === undefined) return [{ stack, app }];
    notes.push(`${stack.name} is left out: ${reason}`);
    return [];
  });
  const chains: Chain[] = [];
  for (const { stack, app } of choice.stacks === undefined ? rows : rows.slice(0, 1)) {
    const { answerBytes } = app ?? HELLO;
    const bytes = choice.bytes ?? answerBytes ?? (await askLength(stack, app ?? HELLO));
    chains.push(chainOf(stack, bytes, app));
  }
  const [[first], [chain]] = [rows, chains];
  const whole = chain?.steps.at(-1)?.configuration;
  if (first === undefined || chain === undefined || whole === undefined) throw new NothingToRun(notes);
  const others = choice.stacks === undefined ? [] : rows.slice(1);
  const changes =
    first.stack.name === NODE_STACK && others.length === 0
      ? CHANGES.map(([title, name]) => changeOf(title, name, chain))
      : others.flatMap(({ stack, app }) => {
          const configuration = stackConfiguration(stack, whole.work);
          if (app?.name === first.app?.name) return [{ title: stack.title, configuration, insteadOf: whole }];
          notes.push(`${stack.name} is left out: it does not run what ${first.stack.name} runs`);
          return [];
        });
  return { chains, changes, notes };
}

/** A user who names one application wants results about that one. */
function usualStacks({ app, wsgi, work }: CostChoice): readonly Stack[] {
  const wantsNode = (app !== undefined || wsgi === undefined) && work?.name !== 'page';
  const wantsPython = wsgi !== undefined || app === undefined;
  return [...(wantsNode ? [NODE_STACK] : []), ...(wantsPython ? [PYTHON_STACK] : [])].map(stackNamed);
}

/** undefined: only the application that does nothing. */
function appOf({ app, wsgi, ownPath, work }: CostChoice, { language, works }: Stack): Work | undefined {
  const isOwn = (language === 'node' && app !== undefined) || (language === 'python' && wsgi !== undefined);
  return isOwn && works.includes('own') ? ownWork(ownPath) : work;
}

/** undefined: it can be measured. */
function whyNot(
  { needs, works }: Stack,
  app: Work | undefined,
  { bytes }: CostChoice,
  programs: ReadonlyMap<ProgramName, Program>,
): string | undefined {
  const missing = missingOf(app?.name === 'page' ? [...needs, 'python3-markdown'] : needs, programs);
  if (missing !== undefined) return missing;
  if (app !== undefined) return works.includes(app.name) ? undefined : `it does not serve ${app.path}`;
  if (bytes === undefined || works.includes(emptyWork(bytes).name)) return undefined;
  return `it does not serve responses of ${String(bytes)} bytes`;
}
