/** What tests of `nearwire cost` share. */
import * as http from 'node:http';

import type { Program, Stack, Target, Work } from '../../bench/cost/model.js';
import { readProcesses } from '../../bench/process-table.js';
import { findPrograms, missingOf, type ProgramName } from '../../bench/cost/programs.js';
import { get } from '../../bench/cost/ready.js';

/** A user may have these and CI has not: they are no packages of Debian's. */
const OPTIONAL: readonly ProgramName[] = ['uWebSockets.js', 'bun'];

export const programs: ReadonlyMap<ProgramName, Program> = await findPrograms();

/** For `test.skipIf`: a stack whose programs are missing is a failure where CI is set, unless a user brings them. */
export function isMissing({ name, needs }: Pick<Stack, 'name' | 'needs'>): boolean {
  const missing = missingOf(needs, programs);
  const required = missingOf(
    needs.filter((program) => !OPTIONAL.includes(program)),
    programs,
  );
  if (process.env['CI'] && required !== undefined) throw new Error(`CI needs ${name}: ${required}`);
  return missing !== undefined;
}

/** As many at a time as a load has, each on a connection that is kept if the server does. Answers the statuses. */
export async function askMany(target: Target, { path }: Pick<Work, 'path'>, requests: number): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const answers = await Promise.all(Array.from({ length: requests }, () => get(target, path, agent)));
  agent.destroy();
  return answers.map(({ status }) => status);
}

/** Asks once, on a connection of its own. */
export function ask(target: Target, { path }: Pick<Work, 'path'>): ReturnType<typeof get> {
  return get(target, path);
}

/** Of these, those that still run. */
export function running(pids: readonly number[]): number[] {
  const now = new Set(readProcesses().map(({ pid }) => pid));
  return pids.filter((pid) => now.has(pid));
}
