/** The file of `--json`: a contract with whoever reads it, so no field comes or goes unnoticed. */
import type { BenchResult, CellResult, Host, RatioResult, Versions } from './model.js';
import { broughtSubjects, type BroughtSubject } from './brought.js';

export interface JsonResult {
  readonly schema: 1;
  readonly host: Host;
  readonly versions: Versions;
  /** Those that took part and are not built in: what they were. Older results lack this, and what follows. */
  readonly brought?: readonly BroughtSubject[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly command: string;
  readonly started: string;
  readonly seconds: number;
  readonly cells: readonly CellResult[];
  readonly ratios: readonly RatioResult[];
}

export function jsonOf(result: BenchResult): JsonResult {
  const { host, versions, environment, command, started, seconds, cells, ratios } = result;
  const brought = broughtSubjects(result);
  return { schema: 1, host, versions, brought, environment, command, started, seconds, cells, ratios };
}

/** A command as others may give it too: without the files that it wrote. */
export function withoutFiles(command: string): string {
  return command.replace(/ --(?:json|html)[ =]\S+/g, '');
}
