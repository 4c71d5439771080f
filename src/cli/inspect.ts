/** `nearwire inspect`: a UNIX listener's file, owner, queue and connections; once or repeatedly. */
import { existsSync } from 'node:fs';

import { ListenerReporter, type ListenerReport } from '../inspection/report.js';
import { command, REPORT_OPTIONS, type Given } from './command.js';
import { EXIT_CODES } from './exit-codes.js';
import { reportText } from './inspect-text.js';
import { watchListener } from './inspect-watch.js';
import { exitCodeOfFailure } from './listener-failure.js';
import { jsonText, print } from './output-file.js';
import { parseWhole, UsageError } from './usage.js';

const DEFAULT_INTERVAL_MILLIS = 1000;
const LEAST_INTERVAL_MILLIS = 50;
const MOST_INTERVAL_MILLIS = 3_600_000;
const MOST_LOOKS = 1_000_000_000;
/** A backlog is an int. */
const MOST_QUEUED = 2 ** 31 - 1;

const OPTIONS = {
  watch: { type: 'boolean', help: 'sample repeatedly: a live view in a terminal, otherwise one line per sample' },
  'max-queued': { type: 'string', value: 'n', help: 'exit with 1 if more connections than this wait' },
  interval: { type: 'string', value: 'ms', help: 'milliseconds between samples, with --watch (default: 1000)' },
  count: { type: 'string', value: 'n', help: 'end after this many samples, with --watch' },
  all: { type: 'boolean', help: 'list all connections, not only those with the most unread bytes' },
  json: { type: 'boolean', help: 'print JSON; with --watch one line per sample' },
  output: REPORT_OPTIONS.output,
} as const;

export const inspectCommand = command({
  name: 'inspect',
  summary: "show a UNIX listener's owner, queue and connections",
  operands: '<path|@name>',
  fewestOperands: 1,
  mostOperands: 1,
  options: OPTIONS,
  more: `Exit codes: 0 a process listens there (and no more connections than --max-queued wait); 1 more wait; 2 invalid
arguments; 3 no process listens; 4 unknown, or the queue is unknown. With --watch: 1 if more ever waited,
otherwise 130, 143 or 129 when ended by a signal.`,
  run: inspect,
});

/** A shell cannot pass a NUL: `@name` is the notation of ss and others for an abstract name. */
function nameFrom(path: string): string {
  if (path === '' || path === '@') throw new UsageError('a path is needed, or @name');
  return path.startsWith('@') && !existsSync(path) ? `\0${path.slice(1)}` : path;
}

async function inspect(given: Given<typeof OPTIONS>, [path = '']: readonly string[]): Promise<void> {
  const { watch = false, json = false, output } = given;
  const { interval, looks } = pace(given);
  const limit = given['max-queued'];
  const maxQueued = limit === undefined ? undefined : parseWhole('--max-queued', limit, 0, MOST_QUEUED);
  const reporter = new ListenerReporter(nameFrom(path));
  if (watch) {
    const { exceeded, lastError } = await watchListener({ reporter, interval, looks, json, maxQueued });
    if (exceeded) process.exitCode = EXIT_CODES.found;
    else if (lastError !== undefined) process.exitCode ??= exitCodeOfFailure(lastError.code);
    return;
  }
  try {
    const report = reporter.report();
    print(json ? jsonText({ schema: 1, ...report }) : reportText(report, { all: given.all === true }), output);
    process.exitCode = exitCodeOf(report, maxQueued);
  } catch (error) {
    fail(error as NodeJS.ErrnoException, json, output);
  }
}

function pace({ watch = false, interval, count, output }: Given<typeof OPTIONS>): { interval: number; looks: number } {
  if (!watch && (interval ?? count) !== undefined) throw new UsageError('--interval and --count require --watch');
  if (watch && output !== undefined) throw new UsageError('--output cannot be combined with --watch: redirect stdout');
  return {
    interval:
      interval === undefined
        ? DEFAULT_INTERVAL_MILLIS
        : parseWhole('--interval', interval, LEAST_INTERVAL_MILLIS, MOST_INTERVAL_MILLIS),
    looks: count === undefined ? Infinity : parseWhole('--count', count, 1, MOST_LOOKS),
  };
}

function exitCodeOf({ queue }: ListenerReport, maxQueued: number | undefined): number {
  if (queue === undefined) return EXIT_CODES.unknown;
  return maxQueued !== undefined && queue.queued > maxQueued ? EXIT_CODES.found : EXIT_CODES.ok;
}

function fail(error: NodeJS.ErrnoException, json: boolean, output: string | undefined): void {
  const { code, message } = error;
  // An error without a code is neither the system's nor ours: a bug.
  if (code === undefined) throw error;
  if (json) print(jsonText({ schema: 1, error: { code, message } }), output);
  else console.error(`error: ${message}`);
  process.exitCode = exitCodeOfFailure(code);
}
