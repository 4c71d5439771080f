/**
 * Which system calls a request takes, of each role: counted by strace, which stops a process at each of its calls and makes
 * it many times slower. So it counts them and nothing else, apart from all that is measured, with a lone request at a time:
 * many at a time share a wake-up. It is a check on what the hop is said to be: the kernel's part.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { LoadGenerator } from './load.js';
import type { Role } from './model.js';

/** To attach to all threads of a server, and to let go of them. */
const PATIENCE_MS = 10_000;

/** Calls a request by their names, of each role. */
export type SystemCalls = Readonly<Partial<Record<Role, Readonly<Record<string, number>>>>>;

/** strace is not allowed to, or failed: in its own words. */
export class StraceError extends Error {}

export interface CountOptions {
  /** strace's file. */
  readonly strace: string;
  /** For what it writes. */
  readonly folder: string;
  readonly pids: ReadonlyMap<Role, readonly number[]>;
  /** Open, with one connection. */
  readonly generator: LoadGenerator;
  readonly signal: AbortSignal;
}

/** Throws StraceError where they can't be counted. */
export async function countSystemCalls(options: CountOptions): Promise<SystemCalls> {
  const { pids, generator, signal } = options;
  const tracers = [...pids].map(([role, own]) => ({ role, tracer: new Tracer(role, own, options) }));
  const abort = (): void => {
    for (const { tracer } of tracers) tracer.kill();
  };
  signal.addEventListener('abort', abort);
  try {
    await Promise.all(tracers.map(({ tracer }) => tracer.attached()));
    const { begun } = await generator.stretch();
    if (begun === 0) throw new StraceError('no request was made while strace looked');
    const calls: Partial<Record<Role, Readonly<Record<string, number>>>> = {};
    for (const { role, tracer } of tracers) {
      const counts = Object.entries(await tracer.detach());
      calls[role] = Object.fromEntries(counts.map(([name, count]) => [name, count / begun]));
    }
    return calls;
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
  }
}

class Tracer {
  private readonly child: ChildProcess;
  private readonly file: string;
  private readonly wanted: number;
  private readonly exited: Promise<unknown>;
  private said = '';

  constructor(role: Role, pids: readonly number[], { strace, folder }: CountOptions) {
    this.file = join(folder, `system-calls-${role}`);
    this.wanted = pids.length;
    const words = ['-f', '-c', '-U', 'calls,name', '-o', this.file, ...pids.flatMap((pid) => ['-p', String(pid)])];
    this.child = spawn(strace, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    // In any case, so that no failure is left unheard.
    this.exited = once(this.child, 'close').catch(() => undefined);
  }

  /** Fulfilled once it has all processes. */
  async attached(): Promise<void> {
    const { child } = this;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(this.failure('did not attach in time'));
      }, PATIENCE_MS);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        act();
      };
      child.once('error', (error) => {
        settle(() => {
          reject(new StraceError(error.message));
        });
      });
      child.once('exit', () => {
        settle(() => {
          reject(this.failure('ended at once'));
        });
      });
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
        if ((this.said.match(/Process \d+ attached/g)?.length ?? 0) >= this.wanted) settle(resolve);
      });
    });
  }

  /** How often each call was made. */
  async detach(): Promise<Readonly<Record<string, number>>> {
    this.child.kill('SIGINT');
    const timer = setTimeout(() => {
      this.kill();
    }, PATIENCE_MS);
    await this.exited;
    clearTimeout(timer);
    try {
      return parseCounts(readFileSync(this.file, 'utf8'));
    } catch {
      throw this.failure('has written no counts');
    }
  }

  /** What it traces runs on by itself. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private failure(what: string): StraceError {
    return new StraceError(`strace ${what}${this.said === '' ? '' : `: ${this.said.trim().split('\n')[0] ?? ''}`}`);
  }
}

/** `strace -c -U calls,name`: a number and a name in each line, lines of dashes around them, and the total at the end. */
function parseCounts(text: string): Readonly<Record<string, number>> {
  const counts = [...text.matchAll(/^\s*(\d+)\s+(\w+)\s*$/gm)].map(
    ([, count, name = '']) => [name, Number(count)] as const,
  );
  return Object.fromEntries(counts.filter(([name]) => name !== 'total'));
}
