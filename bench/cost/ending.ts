/** Finds and ends what a run has started: for the run itself, and for its supervisor if the run is gone. */
import { rmSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

import { processFamily, hasInEnvironment } from '../process-table.js';

/**
 * An environment variable that a run gives to all its processes, so that those that have left their session and lost
 * their parent are found as well. Its value begins with the run's folder.
 */
export const MARK_VARIABLE = 'NEARWIRE_COST_RUN';
/** The kernel needs no longer to end killed processes, unless a disk hangs. */
const KILLED_MS = 10_000;
const LOOK_EVERY_MS = 10;

/**
 * Servers, each of which leads a session, and all their descendants: found by session, ancestry and, if given, the
 * mark.
 */
export function processesOf(leaders: readonly number[], mark?: string): number[] {
  return processFamily(
    ({ pid, session }) =>
      leaders.includes(session) || (mark !== undefined && hasInEnvironment(pid, `${MARK_VARIABLE}=${mark}`)),
  );
}

/** Throws if a process still exists at the end. */
export async function killAll(leaders: readonly number[], mark: string): Promise<void> {
  const deadline = performance.now() + KILLED_MS;
  // Searched anew each time: a process that is being killed may just have forked.
  for (let left = processesOf(leaders, mark); left.length > 0; left = processesOf(leaders, mark)) {
    if (performance.now() > deadline) throw new Error(`these processes cannot be killed: ${left.join(', ')}`);
    left.forEach(kill);
    await after(LOOK_EVERY_MS);
  }
}

/** Kills all processes of a run and removes its folder. */
export async function endRun(leaders: readonly number[], folder: string): Promise<void> {
  try {
    await killAll(leaders, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has just exited.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
