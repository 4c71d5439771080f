/** What `nearwire cost` speaks of: stacks, works, loads, and what is learnt of them. */
import type { Host, Versions } from '../model.js';
import type { Progress } from '../run.js';
import type { Processes } from './processes.js';

/** What a request asks for. `own` is the path of a user's own application (`--wsgi`, `--app`). */
export type WorkName = 'hello' | 'json' | 'download' | 'upload' | 'page' | 'own';

export interface Work {
  readonly name: WorkName;
  readonly title: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The request's body, in bytes. */
  readonly requestBytes: number;
  /** The answer's body, in bytes; undefined where only the application knows. */
  readonly answerBytes: number | undefined;
  /** CPU that the application burns for it, in milliseconds. */
  readonly appMs: number;
}

/** Programs that a stack may need. */
export type ProgramName =
  | 'nginx'
  | 'uwsgi'
  | 'uwsgi-python3'
  | 'apache2'
  | 'mod_wsgi'
  | 'yaws'
  | 'python3-jinja2'
  | 'uWebSockets.js'
  | 'bun'
  | 'strace'
  | 'floor';

export interface Program {
  readonly name: ProgramName;
  /** Its file, or of a module its name; undefined: not installed. */
  readonly file: string | undefined;
  readonly version: string | undefined;
  /** What to type to have it: `apt-get install nginx`. */
  readonly install: string;
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

/** One row. The names are those of `--stack`. */
export interface Stack {
  readonly name: string;
  /** For a reader: `nginx -> uWSGI over UNIX`. */
  readonly title: string;
  /** What answers: Python's applications, Node's, or the server by itself. Stacks are compared within one. */
  readonly language: 'python' | 'node' | 'erlang' | 'none' | 'other';
  readonly hop: Hop | undefined;
  readonly needs: readonly ProgramName[];
  readonly works: readonly WorkName[];
  /** Starts all of it, and answers once it serves. */
  start(place: StackPlace): Promise<RunningStack>;
}

/** Where a stack is started. */
export interface StackPlace {
  /** An empty folder of its own: sockets, configuration, logs. Removed by whoever made it. */
  readonly folder: string;
  /** What starts its servers and sees to it that they end. */
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
  /** Settings that an overload needs; undefined: those that the server has by itself. */
  readonly backlog?: number | undefined;
}

export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

export interface RunningStack {
  /** Where the load goes. */
  readonly target: Target;
  /** Where the front reaches the app: what listenQueue and ss are asked about. */
  readonly hopTarget: Target | undefined;
  /** All processes of a role as of now, masters and workers. */
  pids(role: Role): readonly number[];
  /** Files to which the servers log, for the words that a user would see. */
  readonly logs: readonly string[];
  stop(): Promise<void>;
}

/** Closed: so many requests outstanding at all times. Open: requests begin at a rate, whatever becomes of them. */
export type Load =
  | { readonly kind: 'closed'; readonly connections: number; readonly seconds: number }
  | { readonly kind: 'open'; readonly rate: number; readonly seconds: number };

/** CPU of a role, in microseconds a request. */
export interface Cpu {
  readonly user: number;
  readonly system: number;
}

/** One stretch of load on one stack. */
export interface Sample {
  readonly stack: string;
  readonly work: WorkName;
  readonly round: number;
  readonly load: Load;
  /** Answers a second. */
  readonly rate: number;
  /** From when a request was due (open) or sent (closed) to its last byte, microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Requests that ended otherwise than well. */
  readonly errors: number;
  readonly requests: number;
  readonly cpu: Readonly<Partial<Record<Role, Cpu>>>;
  /** How fast the host's processors were around it, steps a microsecond. */
  readonly hostSpeed: number;
  /** CPU of the load generator, as a share of one core. */
  readonly generatorShare: number;
}

/** One kind of hop between two plain C processes, the generator in the front's place. */
export interface HopSample {
  readonly hop: Hop;
  readonly work: WorkName;
  readonly round: number;
  /** Microseconds of a lone request: connect where each has its own connection, ask, be answered. */
  readonly time: number;
  readonly hostSpeed: number;
}

/** A request of a stack, and the same put together from other stacks: see cross-check.ts. */
export interface CrossCheckSample {
  readonly stack: string;
  readonly work: WorkName;
  readonly round: number;
  /** Microseconds: of a lone request to the stack, the plain C server, the front before that one, and the app directly. */
  readonly time: { readonly whole: number; readonly plain: number; readonly front: number; readonly app: number };
  /** Of front and app with many at a time, microseconds a request; undefined where CPU is not measured. */
  readonly cpu: { readonly whole: number; readonly parts: number } | undefined;
}

/** An application called with no server around it. Microseconds a call. */
export interface ApplicationSample {
  readonly language: 'python' | 'node';
  readonly work: WorkName;
  readonly round: number;
  readonly time: number;
  readonly cpu: number;
  readonly hostSpeed: number;
}

/** All that was measured in the rounds, from which everything else is computed. */
export interface RawSamples {
  readonly measurements: readonly Sample[];
  readonly hops: readonly HopSample[];
  readonly crossChecks: readonly CrossCheckSample[];
  readonly applications: readonly ApplicationSample[];
}

/** A median over the rounds, and the interval in which another run's is to be expected. */
export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

/** A stack and a work. Times and CPU in microseconds a request. */
export interface RowResult {
  readonly stack: string;
  readonly work: WorkName;
  /** One request at a time: what a lone user waits. */
  readonly latency: Figure;
  /** With many at a time. */
  readonly rate: Figure;
  readonly p99: Figure;
  readonly cpu: Readonly<Partial<Record<Role, { user: Figure; system: Figure; all: Figure }>>>;
}

/**
 * - front: the front server's own work, on the user's connection
 * - hop: the kernel's part between front and app: system calls, copies, wake-ups
 * - protocol: what both ends compute to speak it, and the app server's own work
 * - application: the called program
 */
export type Layer = 'front' | 'hop' | 'protocol' | 'application';

/** How a layer's figure was come by: two stacks, or what was measured of it alone. */
export interface LayerResult {
  readonly layer: Layer;
  readonly figure: Figure;
  readonly share: Figure;
  /** `nginx-uwsgi-unix - nginx`, in words for a reader. */
  readonly derivation: string;
  /** The interval contains 0: nothing can be said but that it is small. */
  readonly inNoise: boolean;
}

export interface Split {
  readonly stack: string;
  readonly work: WorkName;
  /** `cpu`: all processes together; `time`: of a lone request. */
  readonly of: 'cpu' | 'time';
  readonly whole: Figure;
  readonly layers: readonly LayerResult[];
  /** The request put together from parts that were never part of it, against the whole: 1 is agreement. */
  readonly crossCheck: Figure | undefined;
}

/** System calls of a lone request, as strace counted them: how many, by their names. */
export interface SystemCalls {
  readonly stack: string;
  readonly work: WorkName;
  readonly calls: Readonly<Partial<Record<Role, Readonly<Record<string, number>>>>>;
}

/** A stack under rising rates. */
export interface Curve {
  readonly stack: string;
  readonly work: WorkName;
  readonly points: readonly {
    readonly offered: number;
    readonly served: number;
    readonly p50: number;
    readonly p99: number;
    readonly errors: number;
  }[];
  /** The highest rate that was served as offered; undefined: none was. */
  readonly holds: number | undefined;
}

/** A limit, driven until it was met. */
export interface Overload {
  readonly name: 'queue' | 'ports' | 'buffers';
  readonly family: 'unix' | 'tcp';
  readonly title: string;
  /** What was done: `nginx -> node:http, backlog 128, 2,000 requests a second`. */
  readonly drive: string;
  /** Requests a second, connections or bytes at which it broke. */
  readonly at: { readonly value: number; readonly unit: string };
  /** How far the queue or the buffer was filled, and its limit. */
  readonly depth: { readonly value: number; readonly limit: number; readonly unit: string } | undefined;
  /** What a user sees: the status and the log's line, word for word. */
  readonly error: string;
  /** What moves the limit, and to where it was seen to move. */
  readonly setting: string;
  /** The same drive with one thing changed, for each thing that moves the limit. */
  readonly moves?: readonly OverloadMove[];
  /** Why the limit was not driven on this host; `at` is computed then. */
  readonly notDriven?: string | undefined;
}

/** A setting, and what it did. */
export interface OverloadMove {
  /** As it is written: `listen({ path, backlog: 511 })`. */
  readonly setting: string;
  /** Where it broke then; undefined: it was driven further than before, and did not break. */
  readonly at: { readonly value: number; readonly unit: string } | undefined;
  /** What was seen, in words that go on from the setting's: `holds 1,300 requests a second ...`. */
  readonly seen: string;
}

/** A sentence with its figure. */
export interface Answer {
  readonly question: string;
  readonly text: string;
  /** The figures that the sentence rests on, for the JSON's reader. */
  readonly figures: Readonly<Record<string, Figure>>;
}

export interface CostResult {
  readonly host: Host;
  readonly versions: Versions;
  readonly programs: readonly Program[];
  readonly command: string;
  readonly started: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly notes: readonly string[];
  /** Stacks that could not be measured, and why: `not installed: apt-get install yaws`. */
  readonly missing: readonly { readonly stack: string; readonly title: string; readonly reason: string }[];
  readonly stacks: readonly Pick<Stack, 'name' | 'title' | 'language' | 'hop'>[];
  readonly works: readonly Work[];
  readonly samples: RawSamples;
  readonly rows: readonly RowResult[];
  readonly splits: readonly Split[];
  /** Of the main works; empty where strace is missing, or may not look. */
  readonly systemCalls: readonly SystemCalls[];
  readonly curves: readonly Curve[];
  readonly overloads: readonly Overload[];
  readonly answers: readonly Answer[];
  /** Stacks that were to be measured and failed, with what they said. */
  readonly failures?: readonly string[];
  /** Ended by a signal: what had been measured by then. */
  readonly interrupted?: boolean;
}

/** What `runCost` is asked for. */
export interface CostOptions {
  /** The rows, in the order of a report: all of them, those of `--stack`, or those of `--quick`. */
  readonly stacks: readonly Stack[];
  /** undefined: all, or the few that there is time for with `quick`. `own` is among them where `wsgi` or `app` is given. */
  readonly works: readonly WorkName[] | undefined;
  /** undefined: as many as there is time for. */
  readonly rounds: number | undefined;
  /** A first look, in under a minute. */
  readonly quick: boolean;
  /** Whether limits are driven until they are met. */
  readonly overloads: boolean;
  /** CPU of an application in milliseconds, for which the answers are given too. */
  readonly appMs: number | undefined;
  readonly wsgi: StackPlace['wsgi'];
  readonly app: string | undefined;
  /** What is asked of these; default `/`. */
  readonly ownPath?: string;
  /** The command as it was given, for the record. */
  readonly command: string;
  /** Ends the run: processes are ended, files removed, what has been measured is returned. */
  readonly signal: AbortSignal;
  onProgress(progress: Progress): void;
  /** Told before the first stack is started, while there is time to stop. */
  onWarning(warning: string): void;
}
