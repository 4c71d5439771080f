/** The file of `nearwire tune --json`: a contract with whoever reads it, so no field comes or goes unnoticed. */
import type { SweepResult } from './model.js';

export interface SweepJson extends SweepResult {
  readonly schema: 1;
}

export function sweepJsonOf(result: SweepResult): SweepJson {
  return { schema: 1, ...result };
}
