/**
 * A relay: both directions between two streams, for proxies, CONNECT tunnels, port forwards, and connections after an
 * upgrade.
 *
 * Each direction is a 'data' listener that writes to the other stream. Between two native sockets a splice replaces it
 * as soon as nothing is buffered (see net/splice.ts): then no byte enters this process's memory, and no event reaches
 * JavaScript, until one side ends.
 *
 *   running --(ends, as halfClose says)--> ending --(all written data is sent)--> through
 *       \--------(error, close, limit, timeout, abort)---------------------------> failed
 */
import { Duplex } from 'node:stream';
import {
  argTypeError,
  argValueError,
  prematureCloseError,
  relayLimitError,
  relayTimeoutError,
} from '../errors/index.js';
import { Splice } from './splice.js';
import { IdleTimer } from './idle-timer.js';
import { now } from '../engine/clock.js';
import { NativeSocket } from './socket.js';
import { checkBoolean, checkFunction, checkLimit, checkWhole } from '../config/options.js';
import { checkSignal, whenAborted } from '../config/signal.js';

/** The longest delay of a timer, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Options of `relay()`. */
export interface RelayOptions {
  /**
   * true: the end of one side is passed on, and the other direction continues until its own end; sets `allowHalfOpen`
   * of both streams. false: the end of one side ends both, after its data has been sent. Default true.
   */
  halfClose?: boolean | undefined;
  /** Milliseconds without a byte in either direction after which the relay fails. Default 0: never. */
  idleTimeout?: number | undefined;
  /** The maximum number of bytes in each direction; the next byte makes the relay fail. Default: no limit. */
  maxBytes?: number | undefined;
  /**
   * Data already read from `a`, such as the `head` of node:http's 'connect' and 'upgrade': sent to `b` first. Data
   * already read from `b` can be put back with `b.unshift()`.
   */
  head?: Uint8Array | undefined;
  /** Ends it with an AbortError. */
  signal?: AbortSignal | undefined;
}

/** What a relay carried, and how it ended. */
export interface RelayResult {
  /** Bytes sent to `b`. */
  bytesAtoB: number;
  /** Bytes sent to `a`. */
  bytesBtoA: number;
  /** Which side's end ended the relay; with `halfClose`, the ends of both. */
  reason: 'ended' | 'a-ended' | 'b-ended';
}

/** Called once, when both streams have ended or one has failed. */
export type RelayCallback = (error: Error | null, result?: RelayResult) => void;

/** Writes what one stream receives to the other. */
class Direction {
  readonly source: Duplex;
  readonly sink: Duplex;
  ended = false;
  private readonly owner: Relay;
  private readonly splice: Splice | undefined;
  /** Bytes that have passed through JS. */
  private inJs = 0;

  constructor(owner: Relay, source: Duplex, sink: Duplex) {
    this.owner = owner;
    this.source = source;
    this.sink = sink;
    if (source instanceof NativeSocket && sink instanceof NativeSocket) {
      this.splice = new Splice(source, sink, this.onData, () => this.left);
    }
  }

  get bytes(): number {
    return this.inJs + (this.splice?.moved ?? 0);
  }

  /** How many more bytes it may carry. */
  private get left(): number {
    return this.owner.maxBytes - this.bytes;
  }

  get idle(): number {
    return this.splice?.idle ?? Infinity;
  }

  start(head?: Uint8Array): void {
    const { source, sink } = this;
    source.on('data', this.onData);
    source.once('end', this.onEnd);
    sink.on('drain', this.onDrain);
    if (source.readableEnded) process.nextTick(this.onEnd);
    if (head !== undefined && head.length > 0) this.onData(head);
    if (sink.writableNeedDrain) source.pause();
    else this.resume();
  }

  /**
   * Within this tick the stream delivers what it has buffered, and requests more: a splice can take what comes then.
   */
  private resume(): void {
    const { splice } = this;
    this.source.resume();
    if (splice === undefined) return;
    splice.readOn();
    process.nextTick(tryStart, splice);
  }

  stop(): void {
    this.splice?.stop();
    this.splice?.readOn();
    this.source.off('data', this.onData);
    this.source.off('end', this.onEnd);
    this.sink.off('drain', this.onDrain);
  }

  private readonly onData = (chunk: Uint8Array): void => {
    const { source, splice } = this;
    const hasRoom = this.write(chunk);
    splice?.tryStart();
    // A splice waits for room by itself, and there may be no better moment: a small sink is never empty and writable at
    // once.
    if (hasRoom || splice?.runs === true) return;
    source.pause();
    // It can start with the next drain, if no read data is left that must precede its bytes.
    for (const unread of splice?.takeUnread() ?? []) {
      // Nothing may follow a chunk that exceeded the limit.
      if (!this.sink.destroyed) this.write(unread);
    }
  };

  /** Returns whether the sink has room for more. */
  private write(chunk: Uint8Array): boolean {
    const { owner, sink } = this;
    if (chunk.length > this.left) {
      owner.fail(relayLimitError(owner.maxBytes));
      return true;
    }
    owner.touch();
    this.inJs += chunk.length;
    return sink.write(chunk);
  }

  private readonly onDrain = (): void => {
    this.owner.touch();
    this.resume();
  };

  private readonly onEnd = (): void => {
    if (this.ended) return;
    this.ended = true;
    this.owner.directionEnds(this);
  };
}

function tryStart(splice: Splice): void {
  splice.tryStart();
}

class Relay {
  readonly maxBytes: number;
  private readonly streams: readonly [Duplex, Duplex];
  private readonly there: Direction;
  private readonly back: Direction;
  private readonly options: RelayOptions;
  private readonly callback: RelayCallback;
  private readonly idle: IdleTimer;
  private over = false;
  private releaseSignal: (() => void) | undefined;
  private firstEnd: Direction | undefined;

  constructor(a: Duplex, b: Duplex, options: RelayOptions, callback: RelayCallback) {
    this.streams = [a, b];
    this.options = options;
    this.callback = callback;
    this.maxBytes = options.maxBytes ?? Infinity;
    this.there = new Direction(this, a, b);
    this.back = new Direction(this, b, a);
    this.idle = new IdleTimer(
      () => {
        this.fail(relayTimeoutError(options.idleTimeout ?? 0));
      },
      () => now() - Math.min(this.there.idle, this.back.idle),
    );
  }

  /** Whether the end of one side leaves the other direction open. */
  private get halfClose(): boolean {
    return this.options.halfClose ?? true;
  }

  start(): void {
    const { signal, idleTimeout, head } = this.options;
    for (const stream of this.streams) {
      stream.on('error', this.onError);
      stream.on('close', this.onClose);
      stream.on('finish', this.onFinish);
      if (this.halfClose) stream.allowHalfOpen = true;
    }
    this.releaseSignal = whenAborted(signal, this.onError);
    if (this.streams.some((stream) => stream.destroyed)) process.nextTick(this.onClose);
    if (idleTimeout !== undefined && idleTimeout > 0) this.idle.set(idleTimeout);
    this.there.start(head);
    this.back.start();
  }

  touch(): void {
    this.idle.touch();
  }

  directionEnds(direction: Direction): void {
    this.firstEnd ??= direction;
    direction.sink.end();
    if (!this.halfClose) {
      // What the other side sends from now on has no destination.
      (direction === this.there ? this.back : this.there).stop();
      direction.source.end();
    }
    this.onFinish();
  }

  /** All data has been written. */
  private readonly onFinish = (): void => {
    const { there, back, streams, halfClose, firstEnd } = this;
    const ended = halfClose ? there.ended && back.ended : firstEnd !== undefined;
    if (!ended || !streams.every((stream) => stream.writableFinished)) return;
    const reason = halfClose ? 'ended' : firstEnd === there ? 'a-ended' : 'b-ended';
    if (!this.settle()) return;
    if (!halfClose) for (const stream of streams) stream.destroy();
    this.callback(null, { bytesAtoB: there.bytes, bytesBtoA: back.bytes, reason });
  };

  private readonly onError = (error: Error): void => {
    this.fail(error);
  };

  private readonly onClose = (): void => {
    this.fail(prematureCloseError());
  };

  fail(error: Error): void {
    if (!this.settle()) return;
    for (const stream of this.streams) stream.destroy();
    this.callback(error);
  }

  /** Detaches from the streams. Returns false if that has been done before. */
  private settle(): boolean {
    if (this.over) return false;
    this.over = true;
    this.idle.stop();
    this.releaseSignal?.();
    this.there.stop();
    this.back.stop();
    // The 'error' listener stays: an error of a write in progress has been reported, or no longer matters.
    for (const stream of this.streams) {
      stream.off('close', this.onClose);
      stream.off('finish', this.onFinish);
    }
    return true;
  }
}

function checkStreams(a: unknown, b: unknown): void {
  for (const [name, stream] of [['a', a] as const, ['b', b] as const]) {
    if (!(stream instanceof Duplex)) throw argTypeError(name, 'an instance of Duplex', stream);
  }
  if (a === b) throw argValueError('b', b, 'must not be the same stream as a');
}

function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw argTypeError('options', 'of type object', options);
  const { halfClose, idleTimeout, maxBytes, head, signal } = options as RelayOptions;
  if (halfClose !== undefined) checkBoolean(halfClose, 'options.halfClose');
  checkWhole(idleTimeout, 'options.idleTimeout', 0, MAX_TIMEOUT);
  checkLimit(maxBytes, 'options.maxBytes');
  if (head !== undefined && !(head instanceof Uint8Array)) {
    throw argTypeError('options.head', 'an instance of Buffer or Uint8Array', head);
  }
  checkSignal(signal);
}

/**
 * Relays between `a` and `b` until both have ended: what each has buffered and receives from now on is written to the
 * other. Resolves with the bytes of both directions. Any failure destroys both and rejects: with the error of the
 * stream that failed, ERR_STREAM_PREMATURE_CLOSE, ERR_NEARWIRE_RELAY_LIMIT, ERR_NEARWIRE_RELAY_TIMEOUT or an
 * AbortError. Between two native sockets, UNIX or TCP, the bytes stay in the kernel; any other two Duplex streams are
 * relayed in JavaScript, with the same outcome. Until then the relay alone must use the streams: listening for 'data',
 * pausing or reading one of them does not affect what the kernel moves. Throws a TypeError or RangeError for invalid
 * arguments.
 */
export function relay(a: Duplex, b: Duplex, options?: RelayOptions): Promise<RelayResult>;
export function relay(a: Duplex, b: Duplex, callback: RelayCallback): void;
export function relay(a: Duplex, b: Duplex, options: RelayOptions | undefined, callback: RelayCallback): void;
export function relay(
  a: Duplex,
  b: Duplex,
  given?: RelayOptions | RelayCallback,
  callback?: RelayCallback,
): Promise<RelayResult> | undefined {
  const options = typeof given === 'function' || given === undefined ? {} : given;
  const told = typeof given === 'function' ? given : callback;
  checkStreams(a, b);
  checkOptions(options);
  if (told !== undefined) {
    checkFunction(told, 'callback');
    new Relay(a, b, options, told).start();
    return undefined;
  }
  return new Promise((resolve, reject) => {
    new Relay(a, b, options, (error, result) => {
      if (result === undefined) reject(error ?? prematureCloseError());
      else resolve(result);
    }).start();
  });
}
