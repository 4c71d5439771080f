/** Servers in processes of their own, of which nothing outlives the run: see keeper.ts. */
import { fork, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../package-root.js';
import { endGroup, endMarked } from './ending.js';
import { isReport, type LaunchOrder, type Order, type Report } from './keeper-words.js';
import { membersOf } from './process-table.js';

/** It is run by node, whatever runs this file. */
const COMPILED_KEEPER = join(PACKAGE_ROOT, 'dist', 'bench', 'cost', 'keeper.js');

/** A stack could not be started, or has ended: said in words for a reader, with what its servers wrote. */
export class StackError extends Error {}

export interface LaunchOptions {
  /** What error messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its working folder. */
  readonly folder: string;
  /** The file that its stdout and stderr are appended to. */
  readonly log: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server: the process that was started, and those that it has started. */
export interface Launched {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** `exited with 1`; undefined while it runs. */
  readonly end: string | undefined;
  /** All its processes as of now. */
  pids(): readonly number[];
  /** Ends all its processes in order (SIGTERM), after 5 s by force, and is through when they are gone. */
  stop(): Promise<void>;
}

type Answer = Extract<Report, { id: number }>;
/** As an object type loses its alternatives where a key is left out of it. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

interface End {
  end: string | undefined;
}

class Server implements Launched {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  private readonly how: End;
  private readonly stopIt: (pid: number) => Promise<void>;

  constructor({ name, log }: LaunchOptions, pid: number, how: End, stopIt: (pid: number) => Promise<void>) {
    this.name = name;
    this.log = log;
    this.pid = pid;
    this.how = how;
    this.stopIt = stopIt;
  }

  get end(): string | undefined {
    return this.how.end;
  }

  pids(): readonly number[] {
    return membersOf(this.pid);
  }

  stop(): Promise<void> {
    return this.stopIt(this.pid);
  }
}

/** All processes and files of one run. */
export class Processes {
  /** The run's folder, removed at its end. */
  readonly folder: string;
  private readonly keeper: ChildProcess;
  private readonly mark: string;
  private readonly signal: AbortSignal;
  private readonly servers = new Set<number>();
  /** By the id of the order that launched it, as it may have ended before that order is answered. */
  private readonly ends = new Map<number, End>();
  private readonly waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  private readonly gone: Promise<void>;
  private lastId = 0;
  private folders = 0;
  private ending: Promise<void> | undefined;

  private constructor(keeper: ChildProcess, { folder, mark }: { folder: string; mark: string }, signal: AbortSignal) {
    this.keeper = keeper;
    this.folder = folder;
    this.mark = mark;
    this.signal = signal;
    keeper.on('message', this.onReport);
    this.gone = new Promise((resolve) => {
      keeper.once('exit', () => {
        resolve();
        this.onKeeperGone();
      });
    });
    signal.addEventListener('abort', this.onAbort);
    if (signal.aborted) this.onAbort();
  }

  /** Starts the keeper and makes the run's folder. When `signal` is aborted everything ends at once. */
  static async start(signal: AbortSignal): Promise<Processes> {
    signal.throwIfAborted();
    const keeper = fork(COMPILED_KEEPER, [], {
      // Out of reach of the terminal's signals.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
    });
    const first = await new Promise<Report>((resolve, reject) => {
      keeper.once('error', reject);
      keeper.once('exit', (code) => {
        reject(new StackError(`the process that keeps the servers ended with ${String(code)}`));
      });
      keeper.once('message', (report: unknown) => {
        if (isReport(report)) resolve(report);
      });
    });
    keeper.removeAllListeners('exit').removeAllListeners('error');
    if (!('folder' in first)) throw new StackError('the process that keeps the servers tells no folder');
    return new Processes(keeper, first, signal);
  }

  /** A new empty folder for one stack, which servers that run as another user may enter. */
  makeFolder(): string {
    const folder = join(this.folder, String(++this.folders));
    mkdirSync(folder);
    chmodSync(folder, 0o711);
    return folder;
  }

  async removeFolder(folder: string): Promise<void> {
    await this.askUnlessEnding({ removeFolder: folder });
  }

  /** Starts a server. It may not serve yet: see `untilServing`. */
  async launch(options: LaunchOptions): Promise<Launched> {
    const { name, command, args, env = {}, folder, log } = options;
    const order: LaunchOrder = { command, args, env, folder, log };
    const id = ++this.lastId;
    const how: End = { end: undefined };
    this.ends.set(id, how);
    const { pid } = await this.ask({ launch: order }, id).catch((error: unknown) => {
      throw new StackError(`${name} could not be run: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (pid === undefined) throw new StackError(`${name} has no process`);
    this.servers.add(pid);
    return new Server(options, pid, how, async (leader) => {
      await this.askUnlessEnding({ end: leader, atOnce: this.signal.aborted });
      this.servers.delete(leader);
      this.ends.delete(id);
    });
  }

  /** Ends all servers, removes the run's folder. Safe to call at any time and twice. */
  end(): Promise<void> {
    this.ending ??= this.endAll();
    return this.ending;
  }

  private async endAll(): Promise<void> {
    this.signal.removeEventListener('abort', this.onAbort);
    try {
      await this.ask({ finish: true });
    } catch (error) {
      // It has been killed: we do its work.
      if (this.keeper.connected) throw error;
      await this.endWithoutKeeper();
    }
    await this.gone;
  }

  private async endWithoutKeeper(): Promise<void> {
    await Promise.all([...this.servers].map((pid) => endGroup(pid, true)));
    await endMarked(this.mark);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the end of all does as well. */
  private async askUnlessEnding(order: WithoutId<Order>): Promise<void> {
    try {
      if (this.ending === undefined) await this.ask(order);
    } catch (error) {
      if (this.isEnding() === undefined) throw error;
    }
    await this.isEnding();
  }

  /** A call, as the compiler would remember what a property was before an await. */
  private isEnding(): Promise<void> | undefined {
    return this.ending;
  }

  private ask(order: WithoutId<Order>, id = ++this.lastId): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.keeper.connected) {
        reject(new StackError('the process that keeps the servers has ended'));
        return;
      }
      this.waiting.set(id, { resolve, reject });
      this.keeper.send({ ...order, id }, (error) => {
        if (error) this.settle({ id, error: error.message });
      });
    });
  }

  private settle(answer: Answer): void {
    const waiter = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (answer.error === undefined) waiter?.resolve(answer);
    else waiter?.reject(new StackError(answer.error));
  }

  private readonly onReport = (report: unknown): void => {
    if (!isReport(report)) return;
    if ('id' in report) this.settle(report);
    else if ('exited' in report) {
      const how = this.ends.get(report.exited);
      if (how) how.end = report.how;
    }
  };

  private readonly onAbort = (): void => {
    // Who started the run calls end() too, and sees what comes of it.
    this.end().catch(() => undefined);
  };

  private onKeeperGone(): void {
    for (const id of [...this.waiting.keys()])
      this.settle({ id, error: 'the process that keeps the servers has ended' });
    // Killed from outside: the servers would go on without anyone who ends them.
    if (this.ending === undefined) this.onAbort();
  }
}
