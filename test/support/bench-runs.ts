/** Runs of `nearwire bench`, as short as they can be, and what they write. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JsonResult } from '../../bench/json.js';
import { runCli, type CliResult } from './cli.js';
import type { RunsFolder } from './command-runs.js';

export interface BenchRun extends CliResult {
  readonly json: JsonResult;
}

/** One round of a quick run, which is to succeed. */
export async function benchOnce(
  runs: RunsFolder,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<BenchRun> {
  const file = join(runs.path, 'result.json');
  const all = ['bench', '--quick', '--rounds', '1', '--json', file, ...words];
  const cli = await runCli(all, { TMPDIR: runs.path, ...env });
  if (cli.code !== 0) throw new Error(`${all.join(' ')} exited with ${String(cli.code)}:\n${cli.stderr}${cli.stdout}`);
  return { ...cli, json: JSON.parse(readFileSync(file, 'utf8')) as JsonResult };
}

/** `CASE SUBJECT MEASURE` of each cell. */
export function cellNames({ json }: BenchRun): Set<string> {
  return new Set(json.cells.map((cell) => `${cell.case} ${cell.subject} ${cell.measure}`));
}
