/** Drives a server with one work: the plain C program (bench/floor/load_http.c), and what it tells of a stretch. */
import { getSystemErrorName } from 'node:util';

import { firstWord } from '../cell-processes.js';
import { quantileOf, type LatencyHistogram } from '../histogram.js';
import { isMessage, numberOf, Peer, PeerError, type Message } from '../peer.js';
import { onCore } from '../placement.js';
import type { Load, Target, Work } from './model.js';

/** To connect and to answer a word: what takes longer has hung. */
const ANSWER_MS = 10_000;
/** Seconds that requests under way may take once the time of a stretch is up; later they count as unanswered. */
const PATIENCE_SECONDS = 5;
/** Connections that an open loop may have at a time: below nginx's default worker_connections on Debian, 768. */
const OPEN_LOOP_CONNECTIONS = 512;

/** How many requests ended otherwise than well, and how. */
export interface Failures {
  /** By status, other than 200. */
  readonly statuses: ReadonlyMap<number, number>;
  /** By errno. */
  readonly connect: ReadonlyMap<number, number>;
  /** Connections that broke before the answer was whole, by errno; 0: the server closed. */
  readonly broken: ReadonlyMap<number, number>;
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
  readonly cpu: number;
}

export interface LoadOptions {
  /** The plain C program. */
  readonly floor: string;
  readonly target: Target;
  readonly work: Work;
  readonly load: Load;
  readonly signal: AbortSignal;
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
  private constructor(
    private readonly peer: Peer,
    /** Of a stretch, at most. */
    private readonly milliseconds: number,
  ) {}

  static async open(options: LoadOptions): Promise<LoadGenerator> {
    const { floor, target, work, load, signal, core } = options;
    const { patience = PATIENCE_SECONDS, warmup = 0.05, connections = OPEN_LOOP_CONNECTIONS } = options;
    const isOpen = load.kind === 'open';
    const words = [
      ...['load', '--case', 'cost', '--family', 'path' in target ? 'unix' : 'tcp', '--address', addressOf(target)],
      ...['--protocol', 'http', '--keep-alive', '1', '--path', work.path],
      ...(work.answerBytes === undefined ? [] : ['--answer', String(work.answerBytes)]),
      ...['--connections', String(isOpen ? connections : load.connections), '--rate', String(isOpen ? load.rate : 0)],
      ...['--warmup', String(warmup), '--seconds', String(load.seconds), '--patience', String(patience)],
    ];
    const name = `load of ${work.name} on ${addressOf(target)}`;
    const peer = new Peer(name, onCore({ command: floor, args: [] }, core), words, signal);
    await firstWord(peer, 'warm', ANSWER_MS + (warmup + patience) * 1e3);
    return new LoadGenerator(peer, ANSWER_MS + (load.seconds + patience) * 1e3);
  }

  async stretch(): Promise<LoadFigures> {
    this.peer.say('go');
    const { result } = await this.peer.expect('result', this.milliseconds);
    await this.peer.expect('warm', ANSWER_MS);
    return figuresOf(tableOf(result));
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    return this.peer.stop();
  }
}

function addressOf(target: Target): string {
  return 'path' in target ? target.path : `${target.host}:${String(target.port)}`;
}

function figuresOf(result: Message): LoadFigures {
  const number = (key: string): number => numberOf(result, key);
  const latency = result['latency'] as LatencyHistogram;
  return {
    ...{ seconds: number('seconds'), begun: number('begun'), answered: number('operations') },
    ...{ p50: quantileOf(latency, 0.5), p99: quantileOf(latency, 0.99) },
    ...{ errors: number('errors'), opened: number('opened'), cpu: number('clientCpu') },
    failures: {
      statuses: new Map([...countsOf(result['statuses'])].filter(([status]) => status !== 200)),
      connect: countsOf(result['connectErrors']),
      broken: countsOf(result['broken']),
      ...{ malformed: number('malformed'), unsent: number('unsent'), unanswered: number('unanswered') },
    },
  };
}

function tableOf(value: unknown): Message {
  if (!isMessage(value)) throw new PeerError(`a result has tables, not ${JSON.stringify(value)}`);
  return value;
}

function countsOf(value: unknown): ReadonlyMap<number, number> {
  const table = tableOf(value);
  return new Map(Object.keys(table).map((key) => [Number(key), numberOf(table, key)]));
}

/** What failed, in words, the most frequent first: `37 x status 502, 12 x connect ECONNREFUSED`; empty if nothing did. */
export function describeFailures(failures: Failures): string {
  const error = (errno: number): string => getSystemErrorName(-errno);
  const each = (counts: ReadonlyMap<number, number>, words: (key: number) => string): [string, number][] =>
    [...counts].map(([key, count]) => [words(key), count]);
  const kinds: [string, number][] = [
    ...each(failures.statuses, (status) => `status ${String(status)}`),
    ...each(failures.connect, (errno) => `connect ${error(errno)}`),
    ...each(failures.broken, (errno) => (errno === 0 ? 'closed before the answer' : `broken by ${error(errno)}`)),
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
