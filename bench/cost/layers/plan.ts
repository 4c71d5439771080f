/** Which chains a run measures, and what is changed in the first one. */
import { NothingToRun } from '../../run.js';
import type { Program, ProgramName, StackPlace, Work } from '../model.js';
import { missingOf } from '../programs.js';
import { stackNamed } from '../stacks/index.js';
import { jsonWork, ownWork } from '../works.js';
import { chainOf, changeOf, type Chain } from './configurations.js';
import type { LayersPlan } from './run.js';

export interface LayersChoice {
  /** The user's own applications, and what is asked of them. */
  readonly app: StackPlace['app'];
  readonly wsgi: StackPlace['wsgi'];
  readonly ownPath: string;
  /** Milliseconds of CPU of an application that is made up; undefined: none. */
  readonly appMs: number | undefined;
}

/** Bytes that the user's applications answer with. */
export interface OwnAnswers {
  readonly app?: number;
  readonly wsgi?: number;
}

/** Hello world and a line's end. */
const LEAST_BYTES = 12;

export const NODE_STACK = 'nginx-node-unix-keep';
export const PYTHON_STACK = 'nginx-uwsgi-unix';
const CHANGES = [
  ['TCP instead of the UNIX socket', 'nginx-node-tcp-keep'],
  ['a connection for each request', 'nginx-node-unix-close'],
  ['nearwire/http instead of node:http', 'nginx-nearwire-unix-keep'],
  ['nearwire/uwsgi', 'nginx-nearwireuwsgi-unix'],
] as const;

/** Throws NothingToRun where nginx is missing, or what the user's application needs. */
export function layersPlan(
  choice: LayersChoice,
  programs: ReadonlyMap<ProgramName, Program>,
  own: OwnAnswers = {},
): { readonly plan: LayersPlan; readonly notes: readonly string[] } {
  const { app, wsgi, appMs } = choice;
  const isMissing = (name: string): string | undefined => missingOf(stackNamed(name).needs, programs);
  const madeUp = appMs === undefined ? undefined : jsonWork(appMs);
  const chainWith = (name: string, file: unknown, bytes: number | undefined): Chain => {
    const work: Work | undefined = file === undefined ? madeUp : ownWork(choice.ownPath);
    return chainOf(name, bytes ?? work?.answerBytes ?? LEAST_BYTES, work);
  };
  const chains: Chain[] = [];
  const notes: string[] = [];
  // Who names one application asks about that.
  const wantsNode = app !== undefined || wsgi === undefined;
  const wantsPython = wsgi !== undefined || app === undefined;
  for (const [name, isWanted, isNamed, file, bytes] of [
    [NODE_STACK, wantsNode, true, app, own.app],
    [PYTHON_STACK, wantsPython, wsgi !== undefined, wsgi, own.wsgi],
  ] as const) {
    if (!isWanted) continue;
    const missing = isMissing(name);
    if (missing === undefined) chains.push(chainWith(name, file, bytes));
    else if (isNamed) throw new NothingToRun([`${name}: ${missing}`]);
    else notes.push(`${stackNamed(name).title} is left out: ${missing}`);
  }
  const node = wantsNode ? chains[0] : undefined;
  const changes = node === undefined ? [] : CHANGES.map(([title, name]) => changeOf(title, name, node));
  return { plan: { chains, changes }, notes };
}
