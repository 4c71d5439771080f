/** What `nearwire cost` speaks of: stacks, and what is asked of them. */
import type { Processes } from './processes.js';
import type { Program, ProgramName } from './programs.js';

export type { Program } from './programs.js';

/**
 * What is asked for: hello world, or any number of bytes (`empty`), by an application that does nothing; 1 KiB of JSON after
 * some CPU; a wiki page; a path of the user's own application (`--wsgi`, `--app`).
 */
export type WorkName = 'hello' | 'empty' | 'json' | 'page' | 'own';

export interface Work {
  readonly name: WorkName;
  readonly path: string;
  /** The answer's body, in bytes; undefined where only the application knows. */
  readonly answerBytes: number | undefined;
}

/** Which of a stack's processes. A stack without a front has `app` alone, nginx by itself `front` alone. */
export type Role = 'front' | 'app';

/** How the front reaches the app. */
export interface Hop {
  readonly family: 'unix' | 'tcp';
  readonly protocol: 'uwsgi' | 'http' | 'mod_wsgi';
  /** A connection for each request, or kept ones. */
  readonly connections: 'close' | 'keep-alive';
}

/** One row. The names are those of `--stacks`. */
export interface Stack {
  readonly name: string;
  /** For a reader: `nginx -> uWSGI over UNIX`. */
  readonly title: string;
  /** What answers: Python's applications, Node's, another's, or a server by itself (`none`). */
  readonly language: 'python' | 'node' | 'erlang' | 'none' | 'other';
  readonly hop: Hop | undefined;
  readonly needs: readonly ProgramName[];
  readonly works: readonly WorkName[];
  /** Starts all of it, and answers once it serves. */
  start(place: StackPlace): Promise<RunningStack>;
}

/** Where a stack is started. */
export interface StackPlace {
  /** What starts its servers, in a folder of their own, and sees to it that they end. */
  readonly processes: Processes;
  readonly programs: ReadonlyMap<ProgramName, Program>;
  /** A user's own applications. */
  readonly wsgi: { readonly file: string; readonly callable: string } | undefined;
  readonly app: string | undefined;
  /** Of these, what is asked for to see that they serve. Default `/`. */
  readonly ownPath?: string | undefined;
  /** How long it may take until it serves. Default 30 s. */
  readonly patienceMs?: number | undefined;
  /** Aborted: everything that was started ends. */
  readonly signal: AbortSignal;
}

export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

export interface RunningStack {
  /** Where the load goes. */
  readonly target: Target;
  /** All processes of a role as of now, masters and workers. */
  pids(role: Role): readonly number[];
  stop(): Promise<void>;
}

export interface Load {
  /** Closed: so many requests outstanding at all times. Of an open loop: at most. */
  readonly connections: number;
  /** Of an open loop: requests begin so many times a second, whatever becomes of them. */
  readonly rate?: number;
  readonly seconds: number;
}
