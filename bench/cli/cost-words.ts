/** Checks the options of `nearwire cost`, and fills in defaults. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Stack, Work } from '../cost/model.js';
import type { CostChoice } from '../cost/plan.js';
import { STACKS } from '../cost/stacks/index.js';
import { jsonWork, PAGE } from '../cost/works.js';
import { parseDecimal, parseList, parseWhole, UsageError } from 'nearwire/internal';

/** The hop does not matter for a request that takes a minute. */
const MOST_APP_MS = 60_000;
/** Longer responses measure copying, which is the bench's task. */
const MOST_BYTES = 16 * 1024 * 1024;

export interface CostWords {
  readonly stacks?: string;
  /** An alias. */
  readonly stack?: string;
  readonly app?: string;
  readonly wsgi?: string;
  readonly path?: string;
  readonly appMs?: string;
  readonly page?: boolean;
  readonly bytes?: string;
}

/** Throws UsageError for invalid options. */
export function choiceOf(words: CostWords): CostChoice {
  checkOneApplication(words);
  const named = words.stacks ?? words.stack;
  const wsgi = words.wsgi === undefined ? undefined : parseWsgi(words.wsgi);
  const app = words.app === undefined ? undefined : parseFile('--app', words.app);
  const choice = {
    stacks: named === undefined ? undefined : stacksNamed(named),
    ...{ app, wsgi },
    ownPath: words.path === undefined ? '/' : parsePath(words.path, wsgi !== undefined || app !== undefined),
    work: workOf(words),
    bytes: words.bytes === undefined ? undefined : parseWhole('--bytes', words.bytes, 0, MOST_BYTES),
  };
  checkRun('--app', app !== undefined, 'node', choice.stacks);
  checkRun('--wsgi', wsgi !== undefined, 'python', choice.stacks);
  return choice;
}

/** Of two applications one would not be measured; and the application itself decides how long its responses are. */
function checkOneApplication({ app, wsgi, appMs, page, bytes }: CostWords): void {
  const own = [app === undefined ? undefined : '--app', wsgi === undefined ? undefined : '--wsgi'];
  const made = [appMs === undefined ? undefined : '--app-ms', page === true ? '--page' : undefined];
  const given = [...own, ...made, bytes === undefined ? undefined : '--bytes'].filter((word) => word !== undefined);
  const isPair = given.length === 2 && given[0] === '--app' && given[1] === '--wsgi';
  if (given.length > 1 && !isPair) {
    throw new UsageError(`${given.join(' and ')} each name the application: give only one of them`);
  }
}

function workOf({ appMs, page }: CostWords): Work | undefined {
  if (page === true) return PAGE;
  return appMs === undefined ? undefined : jsonWork(parseDecimal('--app-ms', appMs, 0, MOST_APP_MS));
}

/** In the order given: the first one is the baseline for the others. */
function stacksNamed(text: string): readonly Stack[] {
  const names = parseList(
    'stack',
    text,
    STACKS.map(({ name }) => name),
  );
  return names.flatMap((name) => STACKS.find((stack) => stack.name === name) ?? []);
}

/** An application that none of the stacks runs would silently not be measured. */
function checkRun(option: string, isGiven: boolean, language: Stack['language'], stacks = STACKS): void {
  const runs = (stack: Stack): boolean => stack.language === language && stack.works.includes('own');
  if (!isGiven || stacks.some(runs)) return;
  const able = STACKS.filter(runs).map(({ name }) => name);
  throw new UsageError(`none of the given stacks runs the application of ${option}. Those that do: ${able.join(', ')}`);
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
  throw new UsageError(`${option} ${text}: is not a file`);
}

function parsePath(text: string, hasOwn: boolean): string {
  if (!hasOwn) throw new UsageError('--path is requested from your own application: give --wsgi or --app');
  // Characters that a request line can carry unchanged.
  if (!/^\/[!-~]*$/.test(text))
    throw new UsageError(`--path takes a path, not '${text}', as in --path /wiki/FrontPage`);
  return text;
}
