/** The user's modules as subjects: where they are, and which cases they support. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { CannotRun } from './cannot-run.js';
import { CASES } from './cases/index.js';
import { workerProgram } from './cell-processes.js';
import { Peer, PeerError } from './peer.js';
import type { Subject } from './subjects.js';
import { isHttp } from './work/http-cases.js';

export interface ModuleChoice {
  readonly name: string;
  /** The path of a file, or a package installed where the command runs. */
  readonly module: string;
}

export interface BroughtSubject {
  readonly subject: Subject;
  /** Remarks for the reader of a report. */
  readonly notes: readonly string[];
}

/**
 * The functions that decide on the cases: those with the subject at both ends, at one of them, or as a server of
 * node:http.
 */
const FUNCTIONS = ['createServer', 'connect', 'createHttpServer'];
/** Importing a module takes only a moment. */
const IMPORT_MS = 10_000;

/** Throws CannotRun for a module that does not exist, throws, or exports nothing to measure. */
export async function subjectOfModule({ name, module }: ModuleChoice, signal: AbortSignal): Promise<BroughtSubject> {
  const fail = (why: string): never => {
    throw new CannotRun(`--subject ${name}=${module}: ${why}`);
  };
  const url = urlOf(module) ?? fail('there is no such file, and no such package is installed here');
  const exported = await exportsOf(url, signal).catch((error: unknown) => {
    if (!(error instanceof PeerError)) throw error;
    return fail(error.message);
  });
  const functions = FUNCTIONS.filter((known) => exported.includes(known));
  const cases = CASES.filter(({ client }) => client !== 'none').map(({ name: of, client }) => ({
    ...{ of, needs: needsOf(of, client === 'subject') },
  }));
  const able = cases.filter(({ needs }) => needs.every((needed) => functions.includes(needed)));
  if (able.length === 0) fail(`it exports ${functions.join(' and ') || 'no function'} of ${FUNCTIONS.join(', ')}`);
  const casesWith = (needed: string): string =>
    cases.flatMap(({ of, needs }) => (needs.includes(needed) ? [of] : [])).join(', ');
  return {
    subject: {
      ...{ name, title: `the module ${module}`, program: 'worker', words: { module: url } },
      cases: able.map(({ of }) => of),
    },
    notes: FUNCTIONS.filter((known) => !functions.includes(known)).map(
      (known) => `${name}: ${module} exports no function ${known}: ${casesWith(known)} are left out`,
    ),
  };
}

function needsOf(benchCase: string, atBothEnds: boolean): string[] {
  if (isHttp(benchCase)) return ['createHttpServer'];
  return atBothEnds ? ['createServer', 'connect'] : ['createServer'];
}

function urlOf(module: string): string | undefined {
  const path = resolve(module);
  if (existsSync(path)) return pathToFileURL(path).href;
  if (isAbsolute(module) || module.startsWith('.')) return undefined;
  try {
    const found = createRequire(resolve('from-here.js')).resolve(module);
    return isAbsolute(found) ? pathToFileURL(found).href : found;
  } catch {
    return undefined;
  }
}

/** The names of the module's functions, found in a separate process, so that its side effects do no harm. */
async function exportsOf(url: string, signal: AbortSignal): Promise<readonly string[]> {
  const peer = new Peer('its import', workerProgram('worker.js'), ['describe', '--module', url], signal);
  try {
    return (await peer.expect('functions', IMPORT_MS))['functions'] as string[];
  } finally {
    await peer.stop();
  }
}
