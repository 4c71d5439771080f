/** `nearwire inspect`: a UNIX listener's file, owner, queue and connections; once, or again and again. */
import { existsSync } from 'node:fs';

import { Command } from 'commander';

import { ListenerReporter, type ListenerReport } from '../inspection/report.js';
import { reportText } from './inspect-text.js';
import { parseWhole, UsageError } from './usage.js';
import { watchListener } from './inspect-watch.js';

/** More wait than `--max-queued` allows. */
const CROWDED_EXIT = 1;
/** Nobody takes connections there. */
const ABSENT_EXIT = 3;
/** It can't be told. */
const UNKNOWN_EXIT = 4;

/** The codes of errors that say that nobody listens; others say that it could not be found out. */
const ABSENT_CODES: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ERR_NEARWIRE_NO_LISTENER',
  'ERR_NEARWIRE_STALE_SOCKET',
  'ERR_NEARWIRE_NOT_A_SOCKET',
]);

const DEFAULT_INTERVAL_MILLIS = 1000;
const LEAST_INTERVAL_MILLIS = 50;
const MOST_INTERVAL_MILLIS = 3_600_000;
const MOST_LOOKS = 1_000_000_000;
/** A backlog is an int. */
const MOST_QUEUED = 2 ** 31 - 1;

const EXIT_CODES = `
Exit codes: 0 somebody listens there (and no more than --max-queued wait); 1 more wait; 2 a wrong word on the command
line; 3 nobody listens; 4 it can't be told, or not how many wait. With --watch: 1 if more were ever waiting, else 130,
143 or 129 when ended by a signal.`;

interface Words {
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly maxQueued?: string;
  readonly interval?: string;
  readonly looks?: string;
  readonly all?: boolean;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description("show a UNIX listener's owner, queue and connections")
    .argument('<path>', 'its socket file; @name for an abstract name (Linux)')
    .option('--watch', 'look again and again: a live view in a terminal, a line for each look elsewhere')
    .option('--json', 'JSON; with --watch a line for each look')
    .option('--max-queued <n>', 'exit with 1 if more connections than this wait')
    .option('--interval <ms>', 'milliseconds between looks, with --watch (default 1000)')
    .option('--looks <n>', 'end after so many looks, with --watch')
    .option('--all', 'list all connections, not only those with most bytes waiting')
    .addHelpText('after', EXIT_CODES)
    .action(inspect);
}

/** What a shell can pass has no NUL: `@name` is how ss and others write an abstract name. */
function nameFrom(path: string): string {
  if (path === '' || path === '@') throw new UsageError('a path is needed, or @name');
  return path.startsWith('@') && !existsSync(path) ? `\0${path.slice(1)}` : path;
}

async function inspect(path: string, words: Words): Promise<void> {
  const { watch = false, json = false, all = false } = words;
  if (!watch && (words.interval !== undefined || words.looks !== undefined)) {
    throw new UsageError('--interval and --looks go with --watch');
  }
  const maxQueued =
    words.maxQueued === undefined ? undefined : parseWhole('--max-queued', words.maxQueued, 0, MOST_QUEUED);
  const interval =
    words.interval === undefined
      ? DEFAULT_INTERVAL_MILLIS
      : parseWhole('--interval', words.interval, LEAST_INTERVAL_MILLIS, MOST_INTERVAL_MILLIS);
  const looks = words.looks === undefined ? Infinity : parseWhole('--looks', words.looks, 1, MOST_LOOKS);
  const reporter = new ListenerReporter(nameFrom(path));
  if (watch) {
    const { exceeded, lastError } = await watchListener({ reporter, interval, looks, json, maxQueued });
    if (exceeded) process.exitCode = CROWDED_EXIT;
    else if (lastError !== undefined) process.exitCode ??= exitOf(lastError);
    return;
  }
  try {
    const report = reporter.report();
    process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report, { all }));
    process.exitCode = exitOfReport(report, maxQueued);
  } catch (error) {
    fail(error as NodeJS.ErrnoException, json);
  }
}

function exitOfReport({ queue }: ListenerReport, maxQueued: number | undefined): number {
  if (queue === undefined) return UNKNOWN_EXIT;
  return maxQueued !== undefined && queue.queued > maxQueued ? CROWDED_EXIT : 0;
}

function exitOf({ code }: NodeJS.ErrnoException): number {
  return ABSENT_CODES.has(code) ? ABSENT_EXIT : UNKNOWN_EXIT;
}

function fail(error: NodeJS.ErrnoException, json: boolean): void {
  const { code, message } = error;
  // What is no error of the system's or of ours is a fault of the program.
  if (code === undefined) throw error;
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } }, undefined, 2)}\n`);
  else console.error(`error: ${message}`);
  process.exitCode = exitOf(error);
}
