/** Servers in processes of their own, none of which outlives the run: see keeper.ts. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';

import { newFolder } from '../folder.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { endRun, killAll, MARK_VARIABLE, processesOf } from './ending.js';

/** It runs in node, whatever runs this file. */
const COMPILED_KEEPER = join(PACKAGE_ROOT, 'dist', 'cost', 'keeper.js');
/** The longest name in a stack's folder. */
const LONGEST_NAME = '99/mod_wsgi.4194304.0.1.sock';
/** Servers finish pending work when asked to stop; one that still runs after this time is killed. */
const ORDERLY_MS = 5_000;

/** A stack could not be started, or has ended: a message for the user, with its servers' output. */
export class StackError extends Error {}

export interface LaunchOptions {
  /** Its name in error messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its working directory. */
  readonly folder: string;
  /** The file to which its stdout and stderr are appended. */
  readonly log: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server: the process that was started, and its descendants. */
export interface Launched {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** `exited with 1`; undefined while it runs. */
  readonly end: string | undefined;
  /** All its current processes. */
  pids(): readonly number[];
  /**
   * Stops it gracefully (SIGTERM), and after 5 s by force, then kills its remaining processes. Resolves when they are
   * gone.
   */
  stop(): Promise<void>;
}

type Keeper = ChildProcessByStdio<Writable, null, null>;

/** All processes and files of one run. */
export class Processes {
  private readonly keeperEnded: Promise<number | null>;
  private readonly leaders = new Set<number>();
  private launches = 0;
  private folders = 0;
  private ending: Promise<void> | undefined;

  private constructor(
    private readonly keeper: Keeper,
    /** The run's folder, removed at its end. */
    readonly folder: string,
    private readonly signal: AbortSignal,
  ) {
    // If the supervisor is killed, no process would be left to end the servers.
    this.keeperEnded = new Promise((resolve) => {
      keeper.once('exit', (code) => {
        resolve(code);
        this.endUnasked();
      });
    });
    keeper.stdin.on('error', () => undefined);
    signal.addEventListener('abort', this.endUnasked);
    if (signal.aborted) this.endUnasked();
  }

  /** Starts the supervisor and makes the run's folder. When `signal` is aborted, everything ends at once. */
  static async start(signal: AbortSignal): Promise<Processes> {
    signal.throwIfAborted();
    const folder = newFolder('nearwire-cost-', LONGEST_NAME);
    const keeper = spawn(process.execPath, [COMPILED_KEEPER, folder], {
      // In its own process group, so that the terminal's signals do not reach it.
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    await once(keeper, 'spawn');
    makeOpenFolder(folder);
    return new Processes(keeper, folder, signal);
  }

  /** A new empty folder for one stack. */
  makeFolder(): string {
    const folder = join(this.folder, String(++this.folders));
    makeOpenFolder(folder);
    return folder;
  }

  /** Starts a server. It may not serve yet: see `untilServing`. */
  async launch({ name, command, args, env, folder, log }: LaunchOptions): Promise<Launched> {
    this.signal.throwIfAborted();
    if (this.ending) throw new StackError(`${name} is not started: this run is ending all its processes`);
    const mark = `${this.folder}:${String(++this.launches)}:`;
    const output = openSync(log, 'a');
    const child = spawn(command, args, {
      cwd: folder,
      // Its own session: the terminal's signals do not reach it, and its children are recognized by it.
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env, [MARK_VARIABLE]: mark },
    });
    closeSync(output);
    // NaN if it could not be run.
    const { pid = NaN } = child;
    if (child.pid !== undefined) this.leaders.add(pid);
    this.tellKeeper();
    let end: string | undefined;
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        end = signal === null ? `exited with ${String(code)}` : `was killed by ${signal}`;
        // Its process id may be reused as soon as no process of it is left.
        if (processesOf([pid], mark).length === 0) this.forget(pid);
        resolve();
      });
    });
    await once(child, 'spawn').catch((error: unknown) => {
      throw new StackError(`${name} could not be run: ${error instanceof Error ? error.message : String(error)}`);
    });
    return {
      ...{ name, pid, log },
      get end() {
        return end;
      },
      pids: () => processesOf([pid]),
      stop: async () => {
        if (this.ending === undefined) {
          child.kill('SIGTERM');
          await Promise.race([exited, after(ORDERLY_MS, undefined, { ref: false })]);
          await killAll([pid], mark);
          this.forget(pid);
        }
        await this.ending;
      },
    };
  }

  /** Ends all servers, and removes the run's folder. Safe to call at any time and twice. */
  end(): Promise<void> {
    this.ending ??= this.endAll();
    return this.ending;
  }

  private async endAll(): Promise<void> {
    this.signal.removeEventListener('abort', this.endUnasked);
    this.keeper.stdin.end();
    // The supervisor has been killed: this process does its work.
    if ((await this.keeperEnded) !== 0) await endRun([...this.leaders], this.folder);
  }

  private readonly endUnasked = (): void => {
    // The code that started the run calls end() too, and gets its errors.
    this.end().catch(() => undefined);
  };

  private forget(leader: number): void {
    this.leaders.delete(leader);
    this.tellKeeper();
  }

  private tellKeeper(): void {
    if (this.ending === undefined) this.keeper.stdin.write(`${JSON.stringify([...this.leaders])}\n`);
  }
}

/** A folder that servers running as another user may enter. */
function makeOpenFolder(folder: string): void {
  mkdirSync(folder);
  chmodSync(folder, 0o711);
}
