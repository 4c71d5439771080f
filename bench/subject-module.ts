/** Modules of the user's as subjects: where they are, what they can do. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { CannotRun } from './cannot-run.js';
import { CASES } from './cases/index.js';
import type { BenchCase } from './model.js';
import { isMessage } from './peer.js';
import type { Subject } from './subjects.js';
import { HTTP_SERVER_CASES } from './work/http-cases.js';
import { SUBJECT_FUNCTIONS, type SubjectFunction } from './work/subject-module.js';

export interface ModuleChoice {
  readonly name: string;
  /** The path of a file, or a package that is installed where the command runs. */
  readonly module: string;
}

export interface ModuleSubject {
  readonly subject: Subject;
  /** What it is left out of. */
  readonly notes: readonly string[];
}

const DESCRIBER = fileURLToPath(new URL('work/describe-module.js', import.meta.url));
/** What a module does at its import is done in a moment. */
const IMPORT_MS = 10_000;

/** Throws CannotRun for a module that there is not, that throws, or that has nothing to measure. */
export async function subjectOfModule({ name, module }: ModuleChoice): Promise<ModuleSubject> {
  const fail = (why: string): never => {
    throw new CannotRun(`--subject ${name}=${module}: ${why}`);
  };
  const url = urlOf(module) ?? fail('there is no such file, and no such package is installed here');
  const told = await describe(url).catch((error: unknown) => fail((error as Error).message));
  if (typeof told['error'] === 'string') fail(`it throws when it is imported: ${told['error']}`);
  const functions = SUBJECT_FUNCTIONS.filter((known) => (told['functions'] as unknown[]).includes(known));
  const cases = CASES.filter((benchCase) => needsOf(benchCase)?.every((needed) => functions.includes(needed)));
  if (cases.length === 0)
    fail(`it exports ${functions.join(' and ') || 'no function'} of ${SUBJECT_FUNCTIONS.join(', ')}`);
  return {
    subject: {
      ...{ name, title: `the module ${module}`, program: 'worker', words: { module: url }, needsAddon: false },
      cases: cases.map((benchCase) => benchCase.name),
    },
    notes: SUBJECT_FUNCTIONS.filter((known) => !functions.includes(known)).map(
      (known) => `${name}: ${module} exports no function ${known}: ${casesWith(known)} are left out`,
    ),
  };
}

/** undefined: no module can. */
function needsOf(benchCase: BenchCase): SubjectFunction[] | undefined {
  if (benchCase.kind === 'micro') return undefined;
  if (HTTP_SERVER_CASES.includes(benchCase.name)) return ['createHttpServer'];
  return benchCase.client === 'subject' ? ['createServer', 'connect'] : ['createServer'];
}

function casesWith(needed: SubjectFunction): string {
  return CASES.filter((benchCase) => needsOf(benchCase)?.includes(needed))
    .map((benchCase) => benchCase.name)
    .join(', ');
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

async function describe(url: string): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = await promisify(execFile)(process.execPath, [DESCRIBER, url], { timeout: IMPORT_MS }).catch(
    (error: unknown) => {
      const { killed, message } = error as Error & { killed?: boolean };
      throw killed ? new Error(`its import takes longer than ${String(IMPORT_MS / 1e3)} s`) : new Error(message);
    },
  );
  // One that ends the process leaves nothing.
  const told: unknown = stdout === '' ? undefined : JSON.parse(stdout);
  if (!isMessage(told)) throw new Error('its import ends the process');
  return told;
}
