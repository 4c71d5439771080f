/** Runs of `nearwire bench`, as short as they can be, and what they write. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import type { JsonFile } from '../../bench/json.js';
import { runCli, type CliResult } from './cli.js';
import type { RunsFolder } from './command-runs.js';

export interface BenchRun extends CliResult {
  readonly json: JsonFile;
}

/** A run that leaves a result, and nothing else. */
export async function benchRun(
  runs: RunsFolder,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<BenchRun> {
  const file = join(runs.path, 'result.json');
  rmSync(file, { force: true });
  const cli = await runCli(['bench', '--json', file, ...words], { TMPDIR: runs.path, ...env });
  const left = runs.leftovers('nearwire-bench-').join(' ');
  if (!existsSync(file) || left !== '') {
    throw new Error(
      `bench ${words.join(' ')} exited with ${String(cli.code)}, left '${left}':\n${cli.stderr}${cli.stdout}`,
    );
  }
  return { ...cli, json: JSON.parse(readFileSync(file, 'utf8')) as JsonFile };
}

/** One round of a quick run, which is to succeed. */
export async function benchOnce(
  runs: RunsFolder,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<BenchRun> {
  const run = await benchRun(runs, ['--quick', '--rounds', '1', ...words], env);
  if (run.code !== 0)
    throw new Error(`${words.join(' ')} exited with ${String(run.code)}:\n${run.stderr}${run.stdout}`);
  return run;
}

/** What can not be measured is told on stderr at once, in such words, and nothing else is. */
export async function expectRefusal(words: readonly string[], ...told: readonly (string | RegExp)[]): Promise<void> {
  const { code, stdout, stderr } = await runCli(['bench', ...words]);
  for (const text of told) expect(stderr).toMatch(text);
  expect(stdout).toBe('');
  expect(code).toBe(3);
}

/** `CASE SUBJECT MEASURE` of each cell. */
export function cellNames({ json }: BenchRun): Set<string> {
  return new Set(json.cells.map((cell) => `${cell.case} ${cell.subject} ${cell.measure}`));
}

/** The medians of a subject, one for each parameter that the case has. */
export function valuesOf({ json }: BenchRun, name: string, measure: string, subject: string): number[] {
  return json.cells
    .filter((cell) => cell.case === name && cell.measure === measure && cell.subject === subject)
    .map((cell) => cell.median);
}
