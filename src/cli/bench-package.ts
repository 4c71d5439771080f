/**
 * The package nearwire-bench, which has the commands that measure: resolved from this package's location, then from the
 * current directory.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { CommandOutline } from './command.js';
import { EXIT_CODES } from './exit-codes.js';
import { packageVersion } from './package-version.js';
import { UsageError } from './usage.js';

/** The commands and what each does. */
export const BENCH_COMMANDS: ReadonlyMap<string, string> = new Map([
  ['bench', 'measure the native transport against node:net and plain C on this machine'],
  ['cost', 'measure the share of a request that the hop between web server and app server takes'],
  ['tune', 'measure which send buffer suits which response, and how to set it'],
]);

/** The exports of that package. */
export interface BenchPackage {
  /** Must equal ours: it uses nearwire/internal, which changes between versions. */
  readonly version: string;
  /** Runs `nearwire WORDS`; the first word names the command. Sets `process.exitCode`; throws UsageError. */
  run(words: readonly string[]): Promise<void>;
  outlines(): readonly CommandOutline[];
}

const NAME = 'nearwire-bench';

/** Returns undefined if it is not installed. */
export async function findBenchPackage(): Promise<BenchPackage | undefined> {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    const file = resolve(from);
    if (file !== undefined) return (await import(pathToFileURL(file).href)) as BenchPackage;
  }
  return undefined;
}

function resolve(from: string): string | undefined {
  try {
    return createRequire(from).resolve(NAME);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The package, as needed by this command. */
export async function benchPackage(command: string): Promise<BenchPackage> {
  const version = packageVersion();
  const found = await findBenchPackage();
  const install = `npm install --save-dev ${NAME}@${version}`;
  if (found === undefined) {
    throw new UsageError(`nearwire ${command} is in a separate package: ${install}`, EXIT_CODES.unavailable);
  }
  if (found.version !== version) {
    throw new UsageError(
      `${NAME} has version ${found.version}, but nearwire has ${version}: ${install}`,
      EXIT_CODES.unavailable,
    );
  }
  return found;
}
