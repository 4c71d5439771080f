/**
 * Counts the system calls of a request, by role, with strace, which stops a process at each call and makes it many
 * times slower. So it only counts, separately from all measurements, with a single request at a time: concurrent ones
 * share wake-ups. The count serves as a cross-check of the hop's cost, namely of the kernel's part.
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

/** Calls per request by name, for each role. */
export type SystemCalls = Readonly<Partial<Record<Role, Readonly<Record<string, number>>>>>;

/**
 * `strace`: its file; `folder`: for its output. `ask` sends some requests, one at a time, and returns their number.
 * Throws if strace is not permitted.
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
    // Traced processes continue by themselves.
    for (const { child } of tracers) child.kill('SIGKILL');
  }
}

function isTraced(pid: number): boolean {
  const folder = `/proc/${String(pid)}/task`;
  return readdirSync(folder).every(
    (thread) => !/^TracerPid:\t0$/m.test(readFileSync(join(folder, thread, 'status'), 'utf8')),
  );
}

/**
 * The output of `strace -c -U calls,name`: a number and a name in each line, enclosed in lines of dashes, and the total
 * at the end.
 */
function callsIn(text: string, requests: number): Readonly<Record<string, number>> {
  const counts = [...text.matchAll(/^\s*(\d+)\s+(\w+)\s*$/gm)];
  return Object.fromEntries(
    counts.filter(([, , name]) => name !== 'total').map(([, count, name = '']) => [name, Number(count) / requests]),
  );
}
