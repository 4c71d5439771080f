/** Ends a process with all that it has started, and waits until nothing is left of them. */
import { setTimeout as after } from 'node:timers/promises';

import { markedProcesses, Members } from './process-table.js';

/** Servers finish what they are at when told to end; one that still runs after this is killed. */
const ORDERLY_MS = 5_000;
/** What a server that has ended leaves behind (its workers, an application's own children) gets this much longer. */
const ORPHANS_MS = 500;
/** The kernel takes no longer for those that are killed, unless a disk hangs. */
const KILLED_MS = 10_000;
const LOOK_EVERY_MS = 10;

/** Ends the group of `leader`. Throws where something of it is still there. */
export async function endGroup(leader: number, atOnce: boolean): Promise<void> {
  const members = new Members(leader);
  if (!atOnce && members.look().length > 0) {
    send(leader, 'SIGTERM');
    const deadline = performance.now() + ORDERLY_MS;
    let orphansUntil = Infinity;
    for (;;) {
      const left = members.look();
      if (left.length === 0) return;
      const now = performance.now();
      if (!left.includes(leader)) orphansUntil = Math.min(orphansUntil, now + ORPHANS_MS);
      if (now > Math.min(deadline, orphansUntil)) break;
      await after(LOOK_EVERY_MS);
    }
  }
  await killAll(() => members.look());
}

/** Ends, at once, what has left its group, by its mark. */
export function endMarked(mark: string): Promise<void> {
  return killAll(() => markedProcesses(mark));
}

async function killAll(find: () => number[]): Promise<void> {
  const deadline = performance.now() + KILLED_MS;
  for (let left = find(); left.length > 0; left = find()) {
    if (performance.now() > deadline) throw new Error(`these processes can't be killed: ${left.join(', ')}`);
    // Found anew each time: one that is being killed may just have forked.
    left.forEach((pid) => {
      send(pid, 'SIGKILL');
    });
    await after(LOOK_EVERY_MS);
  }
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended just now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
