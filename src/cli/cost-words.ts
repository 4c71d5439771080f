/** The words of `nearwire cost`, checked, and what they leave open decided. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

import type { CostOptions, Stack, WorkName } from '../../bench/cost/model.js';
import { QUICK_STACKS } from '../../bench/cost/quick.js';
import { STACKS } from '../../bench/cost/stacks/index.js';
import { WORKS } from '../../bench/cost/works.js';
import { parseDecimal, parseList, parseWhole, UsageError } from './usage.js';

const MOST_ROUNDS = 1000;
/** A request of a minute is no matter of its hop. */
const MOST_APP_MS = 60_000;

export interface CostWords {
  readonly stack?: string;
  readonly work?: string;
  readonly appMs?: string;
  readonly wsgi?: string;
  readonly app?: string;
  readonly path?: string;
  readonly rounds?: string;
  readonly quick?: boolean;
  readonly overload?: boolean;
}

export type CostChoice = Omit<CostOptions, 'command' | 'signal' | 'onProgress' | 'onWarning'>;

/** Throws UsageError at what makes no sense. */
export function choiceOf(words: CostWords): CostChoice {
  const quick = words.quick === true;
  const wsgi = words.wsgi === undefined ? undefined : parseWsgi(words.wsgi);
  const app = words.app === undefined ? undefined : parseFile('--app', words.app);
  if (quick && wsgi) throw new UsageError('--wsgi needs a server for Python, and --quick uses none that is installed');
  if (quick && words.overload === true)
    throw new UsageError('--overload drives nginx to its limits, and --quick is without it');
  const own = { python: wsgi !== undefined, node: app !== undefined };
  const stacks = stacksOf(words, quick, own);
  const works = worksOf(words, own);
  if (words.stack !== undefined && works !== undefined) checkPairs(stacks, works, own);
  return {
    stacks,
    works,
    rounds: words.rounds === undefined ? undefined : parseWhole('--rounds', words.rounds, 1, MOST_ROUNDS),
    quick,
    overloads: words.overload ?? (!quick && words.stack === undefined && words.work === undefined),
    appMs: words.appMs === undefined ? undefined : parseDecimal('--app-ms', words.appMs, 0, MOST_APP_MS),
    wsgi,
    app,
    ...(words.path !== undefined && { ownPath: parsePath(words.path, wsgi !== undefined || app !== undefined) }),
  };
}

const WORK_NAMES = WORKS.map(({ name }) => name);

/** Which languages have an own application. */
interface Own {
  readonly python: boolean;
  readonly node: boolean;
}

function worksOf({ work }: CostWords, own: Own): readonly WorkName[] | undefined {
  if (work === undefined) return undefined;
  const works = parseList('work', work, WORK_NAMES);
  const hasOwn = own.python || own.node;
  if (works.includes('own') && !hasOwn) {
    throw new UsageError('the work own is your own application: name it by --wsgi FILE:CALLABLE or --app FILE.js');
  }
  if (hasOwn && !works.includes('own')) {
    throw new UsageError(
      `with --wsgi or --app the work is your application: leave --work out, or name own too, as in --work own,${works[0] ?? ''}`,
    );
  }
  return works;
}

/** Whether a stack runs the user's application. */
function runsOwn({ language, works }: Stack, own: Own): boolean {
  return works.includes('own') && (language === 'python' ? own.python : own.node);
}

/** A stack that was named and then is not in the report would be looked for in vain. */
function checkPairs(stacks: readonly Stack[], works: readonly WorkName[], own: Own): void {
  for (const stack of stacks) {
    const does = stack.works.filter((name) => (name === 'own') === runsOwn(stack, own));
    if (does.some((name) => works.includes(name))) continue;
    throw new UsageError(`the stack ${stack.name} does not do ${works.join(' or ')}; it does: ${does.join(', ')}`);
  }
}

/** Those that are named; with an own application those that can run it, and the fronts alone that they are held against. */
function stacksOf(words: CostWords, quick: boolean, own: Own): readonly Stack[] {
  const all = quick ? QUICK_STACKS : STACKS;
  if (words.stack !== undefined) {
    const names = parseStacks(words.stack, all, quick);
    const named = all.filter(({ name }) => names.includes(name));
    checkRun('--wsgi', { python: own.python, node: false }, named, all);
    checkRun('--app', { python: false, node: own.node }, named, all);
    return named;
  }
  if (!own.python && !own.node) return all;
  return all.filter((stack) => stack.language === 'none' || runsOwn(stack, own));
}

/** An application that no stack runs would be measured nowhere, and nobody told. */
function checkRun(option: string, own: Own, named: readonly Stack[], all: readonly Stack[]): void {
  if ((!own.python && !own.node) || named.some((stack) => runsOwn(stack, own))) return;
  const able = all.filter((stack) => runsOwn(stack, own)).map(({ name }) => name);
  throw new UsageError(
    `none of the stacks that are named runs what ${option} names. Those that do: ${able.join(', ')}`,
  );
}

function parseStacks(text: string, all: readonly Stack[], quick: boolean): string[] {
  const known = all.map(({ name }) => name);
  const other = (quick ? STACKS : QUICK_STACKS).map(({ name }) => name).filter((name) => !known.includes(name));
  const misplaced = text.split(',').find((word) => other.includes(word.trim()));
  if (misplaced !== undefined) {
    const hint = quick ? 'is not among the stacks of --quick' : 'is for --quick';
    throw new UsageError(`the stack ${misplaced.trim()} ${hint}. There are: ${known.join(', ')}`);
  }
  return parseList('stack', text, known);
}

function parseWsgi(text: string): { file: string; callable: string } {
  const [, file, callable] = /^(.+):([A-Za-z_][A-Za-z0-9_]*)$/.exec(text) ?? [];
  if (file === undefined || callable === undefined) {
    throw new UsageError(`--wsgi takes a file and a name in it, not '${text}', as in --wsgi wiki.py:application`);
  }
  return { file: parseFile('--wsgi', file), callable };
}

function parseFile(option: string, text: string): string {
  const file = resolve(text);
  try {
    accessSync(file, constants.R_OK);
    if (statSync(file).isFile()) return file;
  } catch (error) {
    throw new UsageError(`${option} ${text}: ${(error as Error).message}`);
  }
  throw new UsageError(`${option} ${text}: is no file`);
}

function parsePath(text: string, hasOwn: boolean): string {
  if (!hasOwn) throw new UsageError('--path is what is asked of your own application: name it by --wsgi or --app');
  // What a request line can carry as it stands.
  if (!/^\/[!-~]*$/.test(text))
    throw new UsageError(`--path takes a path, not '${text}', as in --path /wiki/FrontPage`);
  return text;
}
