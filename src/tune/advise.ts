/** `advise()`: whether a server or a connection would gain from a larger send buffer, or a longer backlog. */
import * as net from 'node:net';
import type { Channel, ChannelServer } from '../channel/types.js';
import { DESCRIPTOR } from '../engine/descriptor.js';
import { abortError, argTypeError, notOpenError } from '../errors/index.js';
import { addonStatus } from '../binding/addon.js';
import { checkWhole } from '../config/options.js';
import { checkSignal, whenAborted } from '../config/signal.js';
import { queueHighWater } from '../stats/server-counter.js';
import type { QueueEvidence, SendEvidence } from './evidence.js';
import { backlogLimit, memoryForBuffers, sendBufferLimit } from './limits.js';
import type { Observer } from './observe.js';
import { observerOf } from './observer-of.js';
import { listenQueue } from './queue.js';
import { adviseBacklog, adviseSendBuffer, type Finding } from './rule.js';
import { Sampler } from './sample.js';
import { sampled } from './sampled.js';
import { descriptorOf } from './target.js';

/** Options of `advise()`. */
export interface AdviseOptions {
  /** How long to watch, in milliseconds. Default 10,000: long enough for slow readers to show. */
  duration?: number | undefined;
  /** Stops watching and rejects with an AbortError. */
  signal?: AbortSignal | undefined;
}

/** What `advise()` resolves with. */
export interface Advice {
  /** About the send buffers of the connections. */
  sendBufferSize: Finding<SendEvidence>;
  /** About a server's accept queue; undefined for a connection, and if the queue is not visible (`notObserved` says why). */
  backlog: Finding<QueueEvidence> | undefined;
  /** What could not be observed, in words. */
  notObserved: string[];
}

const DEFAULT_DURATION = 10_000;
/** The limit of setTimeout. */
const MAX_DURATION = 2 ** 31 - 1;
/** The interval between samples of node's own connections and of queues. */
const LOOK_MILLIS = 20;

/** @inline */
type Server = net.Server | ChannelServer;
/** @inline */
type Connection = net.Socket | Channel;

/** Tracks the longest queue seen. */
class QueueWatch {
  private evidence: QueueEvidence | undefined;
  refusal: string | undefined;

  constructor(private readonly server: Server) {}

  look(): void {
    if (this.refusal !== undefined) return;
    try {
      const { queued, backlog } = listenQueue(this.server);
      const highWater = Math.max(queued, this.evidence?.highWater ?? 0, queueHighWater(this.server) ?? 0);
      this.evidence = { highWater, backlog };
    } catch (error) {
      // A server may close while it is watched: earlier evidence stays valid.
      if (this.evidence === undefined) this.refusal = error instanceof Error ? error.message : String(error);
    }
  }

  finding(): Finding<QueueEvidence> | undefined {
    return this.evidence === undefined ? undefined : adviseBacklog(this.evidence, backlogLimit());
  }
}

function isServer(target: object): target is Server {
  if (target instanceof net.Socket) return false;
  return target instanceof net.Server || (DESCRIPTOR in target && 'stats' in target);
}

function isConnection(target: object): target is Connection {
  return target instanceof net.Socket || (DESCRIPTOR in target && 'counters' in target);
}

const NODE_ONLY =
  'node:net does not report its system calls: its connections were sampled every ' +
  `${String(LOOK_MILLIS)} ms, and shorter waits were missed`;

/**
 * Watches a server's connections, or one connection, and reports whether a larger send buffer would help them, and
 * whether a server's backlog was nearly exhausted. Works for nearwire's servers, sockets and channels on either
 * transport, and for node's. Resolves when the time is over, or the connection closed. Changes nothing.
 *
 * Throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for invalid arguments, and ERR_NEARWIRE_NOT_OPEN if the target is not
 * connected or listening; rejects with an AbortError.
 */
export function advise(target: Server | Connection, options: AdviseOptions = {}): Promise<Advice> {
  const given: unknown = target;
  const isOne = typeof given === 'object' && given !== null && (isServer(given) || isConnection(given));
  if (!isOne) throw argTypeError('target', 'a server, a socket or a channel', given);
  const { duration = DEFAULT_DURATION, signal } = checkOptions(options);
  if (isServer(target) ? target.address() === null : descriptorOf(target) < 0) throw notOpenError();
  if (signal?.aborted === true) return Promise.reject(abortError(signal));
  return isServer(target) ? adviseServer(target, duration, signal) : adviseConnection(target, duration, signal);
}

function checkOptions(options: unknown): AdviseOptions {
  if (typeof options !== 'object' || options === null) throw argTypeError('options', 'of type object', options);
  const { duration, signal } = options as AdviseOptions;
  checkWhole(duration, 'options.duration', 1, MAX_DURATION);
  checkSignal(signal);
  return { duration, signal };
}

async function adviseServer(server: Server, duration: number, signal: AbortSignal | undefined): Promise<Advice> {
  const observer = observerOf(server);
  const queue = new QueueWatch(server);
  const evidence = await watch([observer, queue], observer, duration, signal);
  const notObserved = evidence.source === 'samples' ? [NODE_ONLY] : [];
  if (queue.refusal !== undefined) notObserved.push(`the queue of the listener: ${queue.refusal}`);
  return { sendBufferSize: findingOf(evidence), backlog: queue.finding(), notObserved };
}

async function adviseConnection(connection: Connection, duration: number, signal?: AbortSignal): Promise<Advice> {
  const one = sampled(connection);
  const observer = new Sampler(() => (one.closed ? [] : [one]), addonStatus().addon);
  const evidence = await watch([observer], observer, duration, signal, () => one.closed);
  const notObserved = [
    connection instanceof net.Socket && !('_connection' in connection)
      ? NODE_ONLY
      : `one connection was sampled every ${String(LOOK_MILLIS)} ms, and shorter waits were missed`,
  ];
  return { sendBufferSize: findingOf(evidence), backlog: undefined, notObserved };
}

function findingOf(evidence: SendEvidence): Finding<SendEvidence> {
  const limits = { memory: memoryForBuffers(), sendBufferSize: sendBufferLimit() };
  return adviseSendBuffer(evidence, limits);
}

/** Takes samples until the time is over, or `isOver`. */
function watch(
  lookers: readonly { look(): void }[],
  observer: Observer,
  duration: number,
  signal: AbortSignal | undefined,
  isOver: () => boolean = () => false,
): Promise<SendEvidence> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearInterval(looks);
      clearTimeout(timer);
      releaseSignal();
    };
    const finish = (): void => {
      end();
      for (const looker of lookers) looker.look();
      resolve(observer.stop());
    };
    observer.start();
    const looks = setInterval(() => {
      for (const looker of lookers) looker.look();
      if (isOver()) finish();
    }, LOOK_MILLIS);
    const timer = setTimeout(finish, duration);
    const releaseSignal = whenAborted(signal, (error) => {
      end();
      observer.stop();
      reject(error);
    });
  });
}
