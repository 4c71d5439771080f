/** Other versions of Node than the one that runs the bench: a program, or a version from npm. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { CannotRun } from './cannot-run.js';
import { isExecutable } from './executable.js';

export interface OtherNode {
  readonly program: string;
  /** `24.1.0`. */
  readonly version: string;
}

/** The oldest version that nearwire supports, according to its package.json. */
const OLDEST = [20, 19] as const;

/** Throws CannotRun for a program that is not Node or too old, and for a version that npm does not have. */
export async function findNode(wanted: string): Promise<OtherNode> {
  const fail = (why: string): never => {
    throw new CannotRun(`--node ${wanted}: ${why}`);
  };
  const named = /^(?:node@)?(\d+(?:\.\d+){0,2})$/.exec(wanted)?.[1];
  const program =
    named === undefined
      ? resolve(wanted)
      : await nodeFromNpm(named, join(cacheFolder(), `node-${named}`)).catch((error: unknown) =>
          fail(`npm does not bring it: ${(error as Error).message}`),
        );
  if (!isExecutable(program)) fail(`there is no program ${program} that may be run`);
  const [, version = '', major, minor] = /^v((\d+)\.(\d+)\.\d+\S*)\n$/.exec(versionOf(program)) ?? [];
  if (version === '') fail('this is no Node, as its --version is not one');
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  if (isOld) fail(`nearwire needs Node ${OLDEST.join('.')} or later, not ${version}`);
  return { program, version };
}

function versionOf(program: string): string {
  try {
    return execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // Reported as empty output.
    return '';
  }
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'nearwire');
}

/** The program of npm's package `node` in this version, installed into the folder if it is not there yet. */
export async function nodeFromNpm(version: string, folder: string): Promise<string> {
  const program = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  // Otherwise npm uses the package that contains the folder.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  // The package installs its binary by a script of its own.
  const words = ['install', '--no-audit', '--no-fund', '--no-save', '--foreground-scripts', `node@${version}`];
  await promisify(execFile)('npm', words, { cwd: folder });
  return program;
}
