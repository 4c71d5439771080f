/** The file of `nearwire cost --json`: a contract with whoever reads it, so no field comes or goes unnoticed. */
import type { CostResult } from './model.js';

export interface CostJson extends CostResult {
  /** Raised when a field changes its meaning or goes; new ones may come. */
  readonly schema: 1;
  readonly failures: readonly string[];
  readonly interrupted: boolean;
}

export function costJsonOf(result: CostResult): CostJson {
  return { schema: 1, ...result, failures: result.failures ?? [], interrupted: result.interrupted ?? false };
}
