/** Which chains a run measures, and what is changed in the first one. */
import { NothingToRun } from '../../run.js';
import type { Program, ProgramName, Stack, StackPlace, Work } from '../model.js';
import { missingOf } from '../programs.js';
import { stackNamed } from '../stacks/index.js';
import { emptyWork, jsonWork, ownWork } from '../works.js';
import { chainOf, changeOf, type Chain } from './configurations.js';
import type { LayersPlan } from './run.js';

export interface LayersChoice {
  /** The stacks that are named, in that order; undefined: those that most ask about. */
  readonly stacks: readonly Stack[] | undefined;
  /** The user's own applications, and what is asked of them. */
  readonly app: StackPlace['app'];
  readonly wsgi: StackPlace['wsgi'];
  readonly ownPath: string;
  /** Milliseconds of CPU of an application that is made up; undefined: none. */
  readonly appMs: number | undefined;
}

/** Bytes that the user's applications answer with, by the language of the stacks that run them. */
export type OwnAnswers = Readonly<Partial<Record<Stack['language'], number>>>;

export interface Planned {
  readonly plan: LayersPlan;
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/** Hello world and a line's end. */
const LEAST_BYTES = 12;

const NODE_STACK = 'nginx-node-unix-keep';
const PYTHON_STACK = 'nginx-uwsgi-unix';
const CHANGES = [
  ['TCP instead of the UNIX socket', 'nginx-node-tcp-keep'],
  ['a connection for each request', 'nginx-node-unix-close'],
  ['nearwire/http instead of node:http', 'nginx-nearwire-unix-keep'],
  ['nearwire/uwsgi', 'nginx-nearwireuwsgi-unix'],
] as const;
/** Those whose applications can do nothing in any length: see apps/. */
const MEASURED_IN_LAYERS: readonly Stack['language'][] = ['node', 'python'];

/** Throws NothingToRun where nginx is missing, or what the user's application needs. */
export function layersPlan(
  choice: LayersChoice,
  programs: ReadonlyMap<ProgramName, Program>,
  answers: OwnAnswers = {},
): Planned {
  const chainWith = (stack: Stack): Chain => {
    const app = appOf(choice, stack);
    return chainOf(stack.name, answers[stack.language] ?? app?.answerBytes ?? LEAST_BYTES, app);
  };
  return choice.stacks === undefined
    ? usualPlan(choice, programs, chainWith)
    : namedPlan(choice, choice.stacks, programs, chainWith);
}

/** The stack whose answer is asked for beforehand, where the user's application is measured in layers. */
export function ownStacks(choice: LayersChoice, { plan }: Planned): Stack[] {
  const named = (choice.stacks ?? [NODE_STACK, PYTHON_STACK].map(stackNamed)).filter((stack) => isOwn(choice, stack));
  return named.filter(({ title }) => plan.chains.some((chain) => chain.title === title));
}

function isOwn({ app, wsgi }: LayersChoice, { language }: Stack): boolean {
  return (language === 'node' && app !== undefined) || (language === 'python' && wsgi !== undefined);
}

/** undefined: none, but what does nothing. */
function appOf(choice: LayersChoice, stack: Stack): Work | undefined {
  if (isOwn(choice, stack)) return ownWork(choice.ownPath);
  return choice.appMs === undefined ? undefined : jsonWork(choice.appMs);
}

type ChainWith = (stack: Stack) => Chain;

function usualPlan(choice: LayersChoice, programs: ReadonlyMap<ProgramName, Program>, chainWith: ChainWith): Planned {
  const { app, wsgi } = choice;
  const chains: Chain[] = [];
  const notes: string[] = [];
  // Who names one application asks about that.
  const wantsNode = app !== undefined || wsgi === undefined;
  const wantsPython = wsgi !== undefined || app === undefined;
  for (const [name, isWanted, isNeeded] of [
    [NODE_STACK, wantsNode, true],
    [PYTHON_STACK, wantsPython, wsgi !== undefined],
  ] as const) {
    if (!isWanted) continue;
    const stack = stackNamed(name);
    const missing = missingOf(stack.needs, programs);
    if (missing === undefined) chains.push(chainWith(stack));
    else if (isNeeded) throw new NothingToRun([`${name}: ${missing}`]);
    else notes.push(`${stack.title} is left out: ${missing}`);
  }
  const node = wantsNode ? chains[0] : undefined;
  const changes = node === undefined ? [] : CHANGES.map(([title, name]) => changeOf(title, name, node));
  return { plan: { chains, changes }, notes };
}

/** The first that has layers is measured in them; what the others take is held against its whole. */
function namedPlan(
  choice: LayersChoice,
  stacks: readonly Stack[],
  programs: ReadonlyMap<ProgramName, Program>,
  chainWith: ChainWith,
): Planned {
  const notes: string[] = [];
  const there = stacks.filter(({ name, needs }) => {
    const missing = missingOf(needs, programs);
    if (missing !== undefined) notes.push(`${name} is left out: ${missing}`);
    return missing === undefined;
  });
  const base = there.find(isMeasuredInLayers);
  if (base === undefined) {
    throw new NothingToRun([...notes, 'none of the stacks has nginx before an application in Node or Python']);
  }
  const work = appOf(choice, base) ?? emptyWork(LEAST_BYTES);
  const others = there.filter((stack) => {
    if (stack === base) return false;
    const does = work.name === 'own' ? isOwn(choice, stack) && stack.language === base.language : true;
    if (does && stack.works.includes(work.name)) return true;
    notes.push(`${stack.name} is left out: it does not do what ${base.name} is asked for`);
    return false;
  });
  const chain = chainWith(base);
  return { plan: { chains: [chain], changes: others.map(({ title, name }) => changeOf(title, name, chain)) }, notes };
}

function isMeasuredInLayers({ hop, language }: Stack): boolean {
  return hop !== undefined && hop.protocol !== 'mod_wsgi' && MEASURED_IN_LAYERS.includes(language);
}
