/** The file of `--json`: a contract with whoever reads it, so no field comes or goes unnoticed. */
import type { BenchResult, CellResult, Host, RatioResult, Versions } from './model.js';

export interface JsonResult {
  readonly schema: 1;
  readonly host: Host;
  readonly versions: Versions;
  readonly command: string;
  readonly started: string;
  readonly seconds: number;
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
}

export function jsonOf({ host, versions, command, started, seconds, cells, ratios }: BenchResult): JsonResult {
  return { schema: 1, host, versions, command, started, seconds, cells, ratios };
}

/** A command as others may give it too: without the files that it wrote. */
export function withoutFiles(command: string): string {
  return command.replace(/ --(?:json|html)[ =]\S+/g, '');
}
