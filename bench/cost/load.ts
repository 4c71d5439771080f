/** Drives a server with one work: the plain C program (bench/floor/load_http.c), and what it tells of a stretch. */
import { getSystemErrorName } from 'node:util';

import { quantileOf } from '../histogram.js';
import { latencyResult } from '../load-result.js';
import { isMessage, numberOf, Peer, PeerError, type Message } from '../peer.js';
import { onCore } from '../placement.js';
import type { Hop, Load, Target, Work } from './model.js';

/** To connect and to answer a word: what takes longer has hung. */
const ANSWER_MS = 10_000;
/** Seconds that requests under way may take once the time of a stretch is up; later they count as unanswered. */
const PATIENCE_SECONDS = 5;
/** Connections that an open loop may have at a time: below nginx's default worker_connections on Debian, 768. */
const OPEN_LOOP_CONNECTIONS = 512;

/** How requests ended that did not end well. Names of errors are the system's: `ECONNREFUSED`. */
export interface Failures {
  /** By status, other than 200. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly connect: ReadonlyMap<string, number>;
  /** Connections that broke before the answer was whole; `end`: the server closed. */
  readonly broken: ReadonlyMap<string, number>;
  /** No HTTP, or a body of another length than is known to be right. */
  readonly malformed: number;
  /** Due, but all connections were at work until the time was up. */
  readonly unsent: number;
  /** Not answered within the patience. */
  readonly unanswered: number;
}

/** One stretch. Times in microseconds. */
export interface LoadFigures {
  /** From its begin until the last request had ended. */
  readonly seconds: number;
  readonly begun: number;
  /** Answered well. */
  readonly answered: number;
  /** Answers a second; of an open loop, those that came before the time was up. */
  readonly rate: number;
  /**
   * Of requests that ended well, from when they were sent (closed) or due (open); and of those without an answer, the
   * time that they had waited when they were given up.
   */
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  readonly failures: Failures;
  /** Connections that were opened. */
  readonly opened: number;
  /** CPU of the load generator in the stretch. */
  readonly cpu: { readonly user: number; readonly system: number };
}

/** How the generator speaks. Without it: HTTP/1.1, connections kept where the server keeps them. */
export interface Speech {
  readonly protocol: 'http' | 'uwsgi';
  readonly connections: Hop['connections'];
}

export interface LoadOptions {
  /** The plain C program. */
  readonly floor: string;
  readonly target: Target;
  readonly work: Work;
  readonly load: Load;
  readonly signal: AbortSignal;
  readonly speech?: Speech;
  /** The processor that it is bound to; default: none. */
  readonly core?: number;
  /** Seconds before the first stretch, to open the connections; default 0.05. */
  readonly warmup?: number;
  /** Seconds; default PATIENCE_SECONDS. */
  readonly patience?: number;
  /** Of an open loop, at most; default OPEN_LOOP_CONNECTIONS. */
  readonly connections?: number;
}

/** A load generator that is at rest but for its stretches, and keeps its connections between them. */
export class LoadGenerator {
  private readonly peer: Peer;
  private readonly load: Load;
  private readonly patience: number;

  private constructor(peer: Peer, load: Load, patience: number) {
    this.peer = peer;
    this.load = load;
    this.patience = patience;
  }

  static async open(options: LoadOptions): Promise<LoadGenerator> {
    const { patience = PATIENCE_SECONDS, warmup = 0.05 } = options;
    const words = loadWords(options, warmup, patience);
    const name = `load of ${options.work.name} on ${addressOf(options.target)}`;
    const program = { command: options.floor, args: [] };
    const placed = options.core === undefined ? program : onCore(program, options.core);
    const peer = new Peer(name, placed, words, options.signal);
    try {
      await peer.expect('warm', ANSWER_MS + (warmup + patience) * 1e3);
    } catch (error) {
      await peer.stop();
      throw error;
    }
    return new LoadGenerator(peer, options.load, patience);
  }

  async stretch(): Promise<LoadFigures> {
    this.peer.say('go');
    const { result } = await this.peer.expect('result', ANSWER_MS + (this.load.seconds + this.patience) * 1e3);
    await this.peer.expect('warm', ANSWER_MS);
    return figuresOf(result, this.load);
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    return this.peer.stop();
  }
}

export function addressOf(target: Target): string {
  return 'path' in target ? target.path : `${target.host}:${String(target.port)}`;
}

function loadWords(options: LoadOptions, warmup: number, patience: number): string[] {
  const { target, work, load, speech } = options;
  const open = load.kind === 'open';
  const connections = open ? (options.connections ?? OPEN_LOOP_CONNECTIONS) : load.connections;
  return [
    ...['load', '--case', 'cost', '--family', 'path' in target ? 'unix' : 'tcp', '--address', addressOf(target)],
    ...['--protocol', speech?.protocol ?? 'http', '--keep-alive', speech?.connections === 'close' ? '0' : '1'],
    ...['--path', work.path],
    ...(work.answerBytes === undefined ? [] : ['--answer', String(work.answerBytes)]),
    ...['--connections', String(connections), '--rate', String(open ? load.rate : 0)],
    ...['--warmup', String(warmup), '--seconds', String(load.seconds), '--patience', String(patience)],
  ];
}

function figuresOf(value: unknown, load: Load): LoadFigures {
  if (!isMessage(value)) throw new PeerError(`a result is an object, not ${JSON.stringify(value)}`);
  const latency = latencyResult(tableOf(value, 'latency'));
  const seconds = numberOf(value, 'seconds');
  const answered = numberOf(value, 'operations');
  const system = numberOf(value, 'clientSystem');
  return {
    seconds,
    begun: numberOf(value, 'begun'),
    answered,
    rate: load.kind === 'open' ? numberOf(value, 'inTime') / load.seconds : answered / seconds,
    p50: quantileOf(latency, 0.5),
    p99: quantileOf(latency, 0.99),
    errors: numberOf(value, 'errors'),
    failures: {
      statuses: new Map(
        entriesOf(tableOf(value, 'statuses'))
          .map(([status, count]) => [Number(status), count] as const)
          .filter(([status]) => status !== 200),
      ),
      connect: byName(tableOf(value, 'connectErrors')),
      broken: byName(tableOf(value, 'broken')),
      malformed: numberOf(value, 'malformed'),
      unsent: numberOf(value, 'unsent'),
      unanswered: numberOf(value, 'unanswered'),
    },
    opened: numberOf(value, 'opened'),
    cpu: { user: numberOf(value, 'clientCpu') - system, system },
  };
}

function tableOf(message: Message, key: string): Message {
  const value = message[key];
  if (!isMessage(value)) throw new PeerError(`"${key}" is no object: ${JSON.stringify(value)}`);
  return value;
}

function entriesOf(table: Message): [string, number][] {
  return Object.keys(table).map((key) => [key, numberOf(table, key)]);
}

function byName(table: Message): Map<string, number> {
  return new Map(entriesOf(table).map(([errno, count]) => [errno === '0' ? 'end' : errorName(Number(errno)), count]));
}

function errorName(errno: number): string {
  return getSystemErrorName(-errno);
}

/** What failed, in words, the most frequent first: `37 x status 502, 12 x connect ECONNREFUSED`; empty if nothing did. */
export function describeFailures(failures: Failures): string {
  const kinds: [string, number][] = [
    ...[...failures.statuses].map(([status, count]): [string, number] => [`status ${String(status)}`, count]),
    ...[...failures.connect].map(([name, count]): [string, number] => [`connect ${name}`, count]),
    ...[...failures.broken].map(([name, count]): [string, number] => [
      name === 'end' ? 'closed before the answer' : `broken by ${name}`,
      count,
    ]),
    ['malformed', failures.malformed],
    ['not sent in time', failures.unsent],
    ['not answered', failures.unanswered],
  ];
  return kinds
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${String(count)} x ${kind}`)
    .join(', ');
}
