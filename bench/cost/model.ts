/** The data model of `nearwire cost`: stacks, and the requests that they get. */
import type { Processes } from './processes.js';
import type { Program, ProgramName } from './programs.js';

export type { Program } from './programs.js';

/**
 * The kind of request: hello world, or any number of bytes (`empty`), from an application that does nothing; 1 KiB of
 * JSON after some CPU; a wiki page; a path of the user's own application (`--wsgi`, `--app`).
 */
export type WorkName = 'hello' | 'empty' | 'json' | 'page' | 'own';

export interface Work {
  readonly name: WorkName;
  readonly path: string;
  /** The size of the response body, in bytes; undefined if only the application knows it. */
  readonly answerBytes: number | undefined;
}

/** The role of a stack's processes. A stack without a reverse proxy has only `app`, nginx by itself only `front`. */
export type Role = 'front' | 'app';

/** How the reverse proxy reaches the app. */
export interface Hop {
  readonly family: 'unix' | 'tcp';
  readonly protocol: 'uwsgi' | 'http' | 'mod_wsgi';
  /** A connection per request, or kept connections. */
  readonly connections: 'close' | 'keep-alive';
}

/** One stack. The names are those of `--stacks`. */
export interface Stack {
  readonly name: string;
  /** For a reader: `nginx -> uWSGI over UNIX`. */
  readonly title: string;
  /** What responds: Python's applications, Node's, another's, or a server by itself (`none`). */
  readonly language: 'python' | 'node' | 'erlang' | 'none' | 'other';
  readonly hop: Hop | undefined;
  readonly needs: readonly ProgramName[];
  readonly works: readonly WorkName[];
  /** Starts all its servers, and resolves once it serves. */
  start(place: StackPlace): Promise<RunningStack>;
}

/** The surroundings in which a stack is started. */
export interface StackPlace {
  /** Starts its servers, in a folder of their own, and makes sure that they end. */
  readonly processes: Processes;
  readonly programs: ReadonlyMap<ProgramName, Program>;
  /** A user's own applications. */
  readonly wsgi: { readonly file: string; readonly callable: string } | undefined;
  readonly app: string | undefined;
  /** The path requested from these to check that they serve. Default `/`. */
  readonly ownPath?: string | undefined;
  /** How long it may take until it serves. Default 30 s. */
  readonly patienceMs?: number | undefined;
  /** When aborted, everything that was started is stopped. */
  readonly signal: AbortSignal;
}

export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

export interface RunningStack {
  /** The address for the load. */
  readonly target: Target;
  /** All current processes of a role, masters and workers. */
  pids(role: Role): readonly number[];
  stop(): Promise<void>;
}

export interface Load {
  /** Closed loop: the number of requests outstanding at all times. Open loop: the maximum. */
  readonly connections: number;
  /** Open loop: requests per second, started regardless of responses. */
  readonly rate?: number;
  readonly seconds: number;
}
