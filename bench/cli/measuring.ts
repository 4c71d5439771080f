/** The common part of the commands that measure: progress, ending by a signal, reports, and the exit code. */
import { writeFileSync } from 'node:fs';

import type { Command } from 'commander';
import { abortOnSignals, checkWritable, EXIT_CODES, jsonText, UsageError } from 'nearwire/internal';

import type { RunControl } from '../run.js';
import { progressDisplay } from './progress.js';

/** If stdout is not a terminal, nothing is wrapped. */
const UNLIMITED_COLUMNS = 1000;

/** Options for reports. */
export interface ReportFiles {
  /** True: on stdout, instead of the text. */
  readonly json?: string | true;
  readonly html?: string;
  /** Instead of stdout. */
  readonly output?: string;
}

/** `html`: a description of the page. */
export function addReportOptions(command: Command, html?: string): Command {
  command.option(
    '--json [file]',
    'print all samples and results as JSON, or write them to a file in addition to the text',
  );
  if (html !== undefined) command.option('--html <file>', `write a page with ${html} to a file`);
  return command.option('--output <file>', 'write to a file instead of stdout');
}

/** The report formats. Each loads what it needs: most runs do not need all of them. */
export interface Reports<Result> {
  text(result: Result, columns: number): Promise<string>;
  /** The object for the file, before it becomes text. */
  json(result: Result): Promise<unknown>;
  /** Present if the command has `--html`. */
  html?(result: Result): Promise<string>;
}

/**
 * Runs a measurement and reports the result. A measurement that cannot run is reported on stderr; other exceptions of
 * `run` are thrown to the caller.
 */
export async function measure<Result extends { readonly failures?: readonly string[] }>(
  files: ReportFiles,
  run: (control: RunControl) => Promise<Result>,
  reports: Reports<Result>,
): Promise<void> {
  // Loaded here: invalid arguments are reported without it.
  const { CannotRun } = await import('../cannot-run.js');
  const { json, html, output } = files;
  if (json === '-') throw new UsageError('--json takes a file, or nothing for stdout');
  checkWritable({ '--json': json === true ? undefined : json, '--html': html, '--output': output });
  if (output !== undefined && (output === json || output === html)) {
    throw new UsageError(`--output ${output}: another report is already written to this file`);
  }
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort);
  const display = progressDisplay();
  const command = ['nearwire', ...process.argv.slice(2)].join(' ');
  try {
    const result = await run({ ...display, command, signal: abort.signal });
    display.stop();
    await write(result, files, reports);
    if ((result.failures ?? []).length > 0) process.exitCode ??= EXIT_CODES.found;
  } catch (error) {
    display.stop();
    // Ended before anything was measured; the exit code shows the signal.
    if (abort.signal.aborted && error === abort.signal.reason) return;
    if (!(error instanceof CannotRun)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = EXIT_CODES.unavailable;
  } finally {
    stopListening();
  }
}

async function write<Result>(result: Result, files: ReportFiles, reports: Reports<Result>): Promise<void> {
  const { json, html, output } = files;
  const jsonReport = json === undefined ? '' : jsonText(await reports.json(result));
  const columns = process.stdout.isTTY && output === undefined ? process.stdout.columns : UNLIMITED_COLUMNS;
  const main = json === true ? jsonReport : await reports.text(result, columns);
  if (output === undefined) process.stdout.write(main);
  else writeFileSync(output, main);
  if (typeof json === 'string') writeFileSync(json, jsonReport);
  if (html !== undefined && reports.html) writeFileSync(html, await reports.html(result));
}
