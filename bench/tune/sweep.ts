/** The sweep: what send buffers take, what the bench measures with them, and the conclusions. */
import { addonStatus } from 'nearwire/internal';
import { SOCKET_NAME } from '../cell.js';
import { withFolder } from '../folder.js';
import { jsonOf, type JsonFile } from '../json.js';
import { NothingToRun, runBench, type RunControl } from '../run.js';
import { conclude } from './conclude.js';
import { readLimits } from './limits.js';
import type { Findings, SweepResult } from './model.js';
import { sweepOf, type SweepChoice } from './plan.js';
import { settingsFor } from './settings.js';
import { findTakes } from './takes.js';

export async function runSweep(options: SweepChoice & RunControl): Promise<SweepResult> {
  const { addon, reason } = addonStatus();
  if (addon === undefined) {
    const why = reason?.message ?? 'no reason given';
    throw new NothingToRun([`the addon, which sets send buffers, did not load: ${why}`]);
  }
  const { platform } = process;
  const limits = readLimits();
  const sweep = sweepOf(options, limits, platform);
  const takes = await withFolder('nearwire-tune-', SOCKET_NAME, (folder) => findTakes(sweep, folder, options));
  const result = await runBench({ ...options, ...sweep.choice });
  const found = { conclusions: conclude(result.results, takes), limits, takes };
  return { ...result, ...found, settings: settingsFor({ ...found, family: options.family, platform }) };
}

/** The file of `--json`: the bench's, with the findings. */
export interface SweepJson extends JsonFile, Findings {}

export function sweepJsonOf(result: SweepResult): SweepJson {
  const { conclusions, settings, limits, takes } = result;
  return { ...jsonOf(result), conclusions, settings, limits, takes };
}
