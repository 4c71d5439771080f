/** Finds what a run has started, and ends it: for the run itself, and for its keeper where the run is gone. */
import { rmSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

import { processFamily, hasInEnvironment } from '../process-table.js';

/**
 * An environment variable that a run gives to all that it starts, so that what has left its session and lost its parent is
 * found as well. Its value begins with the run's folder.
 */
export const MARK_VARIABLE = 'NEARWIRE_COST_RUN';
/** The kernel takes no longer for those that are killed, unless a disk hangs. */
const KILLED_MS = 10_000;
const LOOK_EVERY_MS = 10;

/** Servers, each of which leads a session, and all that they have started: by session, ancestry and, if one is given, mark. */
export function processesOf(leaders: readonly number[], mark?: string): number[] {
  return processFamily(
    ({ pid, session }) =>
      leaders.includes(session) || (mark !== undefined && hasInEnvironment(pid, `${MARK_VARIABLE}=${mark}`)),
  );
}

/** Throws where something is still there in the end. */
export async function killAll(leaders: readonly number[], mark: string): Promise<void> {
  const deadline = performance.now() + KILLED_MS;
  // Found anew each time: one that is being killed may just have forked.
  for (let left = processesOf(leaders, mark); left.length > 0; left = processesOf(leaders, mark)) {
    if (performance.now() > deadline) throw new Error(`these processes can't be killed: ${left.join(', ')}`);
    left.forEach(kill);
    await after(LOOK_EVERY_MS);
  }
}

/** Kills all of a run and removes its folder. */
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
    // It ended just now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
