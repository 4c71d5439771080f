/**
 * Loads a server with one kind of request: runs the plain C program (bench/floor/load_http.c), and returns its report
 * on a stretch.
 */
import { getSystemErrorName } from 'node:util';

import { commandWords, firstWord } from '../cell-processes.js';
import type { LatencyHistogram } from '../histogram.js';
import { Peer } from '../peer.js';
import { onCore } from '../placement.js';
import type { Load, Target, Work } from './model.js';
import { addressOf } from './stacks/parts.js';

/** Connecting and replying to a command: anything slower has hung. */
const ANSWER_MS = 10_000;
/** Seconds that pending requests may take after the end of a stretch; later they count as unanswered. */
const PATIENCE_SECONDS = 5;

/** The report on one stretch. Times in microseconds, counts of errors by errno. */
export interface LoadFigures {
  /** From its start until the last request had ended. */
  readonly seconds: number;
  readonly begun: number;
  /** Requests with a valid response. */
  readonly operations: number;
  /**
   * For successful requests, from when they were sent (closed loop) or due (open loop); for those without a response,
   * the time waited until they were abandoned.
   */
  readonly latency: LatencyHistogram;
  readonly errors: number;
  /** Responses by status. */
  readonly statuses: Counts;
  readonly connectErrors: Counts;
  /** Connections that broke before the response was complete; 0: the server closed. */
  readonly broken: Counts;
  /** Responses that are not HTTP, or whose body has an unexpected length. */
  readonly malformed: number;
  /** Due, but all connections were busy until the time was up. */
  readonly unsent: number;
  /** Not answered within the patience. */
  readonly unanswered: number;
  /** Connections that were opened. */
  readonly opened: number;
  /** CPU of the load generator. */
  readonly clientCpu: number;
}

type Counts = Readonly<Record<string, number>>;

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
}

/** A load generator that is idle except during its stretches, and keeps its connections between them. */
export class LoadGenerator {
  private constructor(
    private readonly peer: Peer,
    /** The maximum duration of a stretch. */
    private readonly milliseconds: number,
  ) {}

  static async open(options: LoadOptions): Promise<LoadGenerator> {
    const { floor, target, work, load, signal, core } = options;
    const { patience = PATIENCE_SECONDS, warmup = 0.05 } = options;
    const words = commandWords({
      ...{ case: 'cost', family: 'path' in target ? 'unix' : 'tcp', address: addressOf(target) },
      ...{ protocol: 'http', keepAlive: true, path: work.path, answer: work.answerBytes },
      ...{ ...load, warmup, patience },
    });
    const name = `load of ${work.name} on ${addressOf(target)}`;
    const peer = new Peer(name, onCore({ command: floor, args: ['load'] }, core), words, signal);
    await firstWord(peer, 'warm', ANSWER_MS + (warmup + patience) * 1e3);
    return new LoadGenerator(peer, ANSWER_MS + (load.seconds + patience) * 1e3);
  }

  async stretch(): Promise<LoadFigures> {
    this.peer.say('go');
    const { result } = await this.peer.expect('result', this.milliseconds);
    await this.peer.expect('warm', ANSWER_MS);
    return result as LoadFigures;
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    return this.peer.stop();
  }
}

/**
 * The failures in words, the most frequent first: `37 x status 502, 12 x connect ECONNREFUSED`; empty if there are
 * none.
 */
export function describeFailures(figures: LoadFigures): string {
  const { statuses, connectErrors, broken, malformed, unsent, unanswered } = figures;
  const error = (errno: string): string => getSystemErrorName(-Number(errno));
  const each = (counts: Counts, words: (key: string) => string): [string, number][] =>
    Object.entries(counts).map(([key, count]) => [words(key), count]);
  const kinds: [string, number][] = [
    ...each({ ...statuses, 200: 0 }, (status) => `status ${status}`),
    ...each(connectErrors, (errno) => `connect ${error(errno)}`),
    ...each(broken, (errno) => (errno === '0' ? 'closed before the response' : `broken by ${error(errno)}`)),
    ['malformed', malformed],
    ['not sent in time', unsent],
    ['no response', unanswered],
  ];
  return kinds
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${String(count)} x ${kind}`)
    .join(', ');
}
