/** What the commands that measure have in common: progress, an end by a signal, reports, and what the exit code tells. */
import { writeFileSync } from 'node:fs';

import type { RunControl } from '../../bench/run.js';
import { checkWritable } from './output-file.js';
import { progressDisplay } from './progress.js';
import { abortOnSignals } from './signals.js';

const FAILED_EXIT = 1;
/** Where stdout is no terminal, nothing wraps. */
const UNLIMITED_COLUMNS = 1000;
/** As a file: what takes the place of the text. */
const STDOUT = '-';

/** The options that name files for reports. */
export interface ReportFiles {
  readonly json?: string;
  readonly html?: string;
}

/** How a result is told. Each loads what it takes: most runs have no use for all of them. */
export interface Reports<Result> {
  text(result: Result, columns: number): Promise<string>;
  /** What goes into the file, before it is text. */
  json(result: Result): Promise<unknown>;
  /** Where the command has `--html`. */
  html?(result: Result): Promise<string>;
}

/** Runs a measurement and tells of it. What can't be run is told on stderr; what else `run` throws is the caller's. */
export async function measure<Result extends { readonly failures?: readonly string[] }>(
  files: ReportFiles,
  run: (control: RunControl) => Promise<Result>,
  reports: Reports<Result>,
): Promise<void> {
  // Loaded here: a slip of the finger is told without it.
  const { CannotRun } = await import('../../bench/cannot-run.js');
  checkWritable({ '--json': files.json === STDOUT ? undefined : files.json, '--html': files.html });
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort);
  const display = progressDisplay();
  const command = ['nearwire', ...process.argv.slice(2)].join(' ');
  try {
    const result = await run({ ...display, command, signal: abort.signal });
    display.stop();
    await write(result, files, reports);
    if ((result.failures ?? []).length > 0) process.exitCode ??= FAILED_EXIT;
  } catch (error) {
    display.stop();
    // Ended before anything was measured; the exit code tells by what.
    if (abort.signal.aborted && error === abort.signal.reason) return;
    if (!(error instanceof CannotRun)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = FAILED_EXIT;
  } finally {
    stopListening();
  }
}

async function write<Result>(result: Result, files: ReportFiles, reports: Reports<Result>): Promise<void> {
  const json = files.json === undefined ? '' : `${JSON.stringify(await reports.json(result), null, 1)}\n`;
  if (files.json === STDOUT) {
    process.stdout.write(json);
  } else {
    const columns = process.stdout.isTTY ? process.stdout.columns : UNLIMITED_COLUMNS;
    process.stdout.write(await reports.text(result, columns));
    if (files.json !== undefined) writeFileSync(files.json, json);
  }
  if (files.html !== undefined && reports.html) writeFileSync(files.html, await reports.html(result));
}
