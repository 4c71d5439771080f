/** The connection under an exchange: one of the native engine (native-carrier.ts) or one of node:net's sockets (node-carrier.ts). */
import type { TransportName } from '../config/options.js';
import type { Engine } from '../engine/engine.js';
import type { ConnectionStats } from '../stats/server-stats.js';

/** Receives a carrier's events. */
export interface CarrierOwner {
  /** Bytes `[start, end)`, lent for this call. */
  onBytes(data: Buffer, start: number, end: number): void;
  /** A piece in memory of its own. Returns false to give the memory back, if no reference to it is left. */
  onBlock?(block: Buffer): boolean;
  /** The kernel has taken all bytes written before `notifyFlushed()`. */
  onFlushed(): void;
  /** The kernel has room again. */
  onDrained?(): void;
  /** FIN has been sent. */
  onShutdown?(): void;
  onPeerEnd(): void;
  /** What received in place of JavaScript has stopped; see Completion.Taken. */
  onTaken?(status: number): void;
  /** Reading or writing failed, or the connection was closed from elsewhere. The carrier is still to be closed. */
  onFailure(error: Error | undefined): void;
}

/** One of several writes. */
export interface Piece {
  readonly data: string | Uint8Array;
  readonly encoding: BufferEncoding;
}

export interface Carrier {
  readonly transport: TransportName;
  /** Of a native one. */
  readonly engine?: Engine;
  owner: CarrierOwner;
  /** The kernel has not taken all bytes; `queued` is the number left. */
  readonly blocked: boolean;
  readonly queued: number;
  /** Whether the kernel has taken queued bytes since the last call, or since the write; only native carriers know. */
  hasSent?(): boolean;
  /**
   * Queues bytes, which leave by the end of the tick. Large ones are lent: they must not change until `onFlushed`.
   * Returns their number.
   */
  write(data: string | Uint8Array, encoding: BufferEncoding): number;
  /** As `write()`, for several that leave together. */
  writeAll(pieces: readonly Piece[]): number;
  /**
   * As `write()`, for a head, a body and what follows it, as node sends them: a string has the head before it in its own
   * encoding, UTF-8; a head without a body is latin1. `isAscii`: a body that is a string is known to consist of ASCII.
   */
  writeWhole(head: string, body: string | Uint8Array, tail: string, isAscii: boolean): number;
  /** Requests one `onFlushed` call, which comes asynchronously. */
  notifyFlushed(): void;
  flush(): void;
  /** Flushes. Whether an `onFlushed` is owed, and the kernel has taken all. */
  hasLeft(): boolean;
  /** The same; then `onFlushed` is the caller's to call. One of node's sockets tells in a tick by itself. */
  takeFlushed?(): boolean;
  /**
   * Called where node would hand over its corked writes. Natively, the end of the tick does that for all connections.
   */
  uncorked(): void;
  pause(): void;
  resume(): void;
  /** Sends FIN after all queued bytes. */
  end(): void;
  /** All has been written, and `destroy()` comes next: it is to send the peer an end. A native one always does. */
  finish?(): void;
  /** Hands over what the kernel takes, and closes. No callback follows. */
  destroy(): void;
  readonly localAddress: string | undefined;
  /** The counters so far, after a flush. undefined: it is closed. */
  stats(): ConnectionStats | undefined;
}

/** What `writeWhole` does with a body of bytes. `head`: the text, or its bytes. */
export function writeWholeBytes(carrier: Carrier, head: string | Uint8Array, body: Uint8Array, tail: string): number {
  const pieces: Piece[] = [
    { data: head, encoding: 'latin1' },
    { data: body, encoding: 'latin1' },
  ];
  if (tail !== '') pieces.push({ data: tail, encoding: 'latin1' });
  return carrier.writeAll(pieces);
}

/** What it does with a text. */
export function writeWholeText(carrier: Carrier, head: string, body: string, tail: string): number {
  return carrier.write(head + body + tail, body === '' ? 'latin1' : 'utf8');
}
