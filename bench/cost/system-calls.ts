/**
 * Which system calls a request takes, of each role: counted by strace, which stops a process at each of its calls and makes
 * it many times slower. So it counts them and nothing else, apart from all that is measured, with a lone request at a time:
 * many at a time share a wake-up. It is a check on what the hop is said to be: the kernel's part.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

import type { Role, RunningStack } from './model.js';

/** To attach to all threads of a server. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 10;

/** Calls a request by their names, of each role. */
export type SystemCalls = Readonly<Partial<Record<Role, Readonly<Record<string, number>>>>>;

/**
 * `strace`: its file, and `folder` for what it writes. `ask` has some requests made, one at a time, and tells how many. Throws
 * where strace is not allowed to look.
 */
export async function countSystemCalls(
  strace: string,
  folder: string,
  { pids }: RunningStack,
  ask: () => Promise<number>,
  signal: AbortSignal,
): Promise<SystemCalls> {
  const tracers = (['front', 'app'] as const).map((role) => {
    const file = join(folder, `system-calls-${role}`);
    const words = ['-f', '-c', '-U', 'calls,name', '-o', file, ...pids(role).map((pid) => `--attach=${String(pid)}`)];
    const child = spawn(strace, words, { stdio: 'ignore', signal, killSignal: 'SIGKILL' });
    return { role, file, child, ended: once(child, 'close').catch(() => undefined) };
  });
  try {
    const deadline = performance.now() + PATIENCE_MS;
    while (![...pids('front'), ...pids('app')].every(isTraced)) {
      if (performance.now() > deadline || tracers.some(({ child }) => child.exitCode !== null)) {
        throw new Error('strace does not attach');
      }
      await after(LOOK_EVERY_MS, undefined, { signal });
    }
    const requests = await ask();
    const calls: Partial<Record<Role, Readonly<Record<string, number>>>> = {};
    for (const { role, file, child, ended } of tracers) {
      child.kill('SIGINT');
      await ended;
      calls[role] = callsIn(readFileSync(file, 'utf8'), requests);
    }
    return calls;
  } finally {
    // What it traces runs on by itself.
    for (const { child } of tracers) child.kill('SIGKILL');
  }
}

function isTraced(pid: number): boolean {
  const folder = `/proc/${String(pid)}/task`;
  return readdirSync(folder).every(
    (thread) => !/^TracerPid:\t0$/m.test(readFileSync(join(folder, thread, 'status'), 'utf8')),
  );
}

/** `strace -c -U calls,name`: a number and a name in each line, lines of dashes around them, and the total at the end. */
function callsIn(text: string, requests: number): Readonly<Record<string, number>> {
  const counts = [...text.matchAll(/^\s*(\d+)\s+(\w+)\s*$/gm)];
  return Object.fromEntries(
    counts.filter(([, , name]) => name !== 'total').map(([, count, name = '']) => [name, Number(count) / requests]),
  );
}
