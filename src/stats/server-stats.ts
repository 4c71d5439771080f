/** The counters that servers return from `server.stats()`. */
import type { TransportName } from '../config/options.js';

/**
 * A server's counters since it was made, over all addresses that it has listened on. All are totals that only grow,
 * except `active`, `messagesPerTurn` and `queueHighWater`. Counters that the `js` transport cannot provide are
 * undefined there. Streams that a program emits 'connection' with are not counted.
 */
export interface ServerStats {
  /** The transport in use. */
  transport: TransportName;
  /** Connections taken from the accept queue, whatever happened to them. */
  accepted: number;
  /**
   * Accepted connections that were closed at once: over `maxConnections`, on the block list, or for lack of
   * descriptors.
   */
  dropped: number;
  /** Dropped connections for which the process had no descriptor left (EMFILE, ENFILE). Native only. */
  shed: number | undefined;
  /** Connections that are open now. */
  active: number;
  /** Bytes received. */
  bytesRead: number;
  /** Bytes sent. Native: handed to the kernel; `js`: written, including what is still buffered in the process. */
  bytesWritten: number;
  /**
   * Event-loop iterations in which any connection, or the accept queue, was ready. Native only, like all that follow.
   */
  turns: number | undefined;
  /** Reads that returned bytes. Each is delivered to JavaScript, unless a relay or a file receives it natively. */
  messages: number | undefined;
  /** `messages / turns`: how many of them one call into JavaScript delivers. undefined before the first turn. */
  messagesPerTurn: number | undefined;
  /** System calls that read. */
  reads: number | undefined;
  /** Those of them that found nothing (EAGAIN). */
  readEagains: number | undefined;
  /** Send system calls. */
  sends: number | undefined;
  /** Those of them of which the kernel took only a part. */
  partialSends: number | undefined;
  /** Those of them of which the kernel took nothing (EAGAIN). */
  sendEagains: number | undefined;
  /** How often a connection waited, after a partial or refused send, until the kernel had room again. */
  waits: number | undefined;
  /** Total milliseconds of those waits. Two connections that wait at the same time count twice. */
  waitMillis: number | undefined;
  /**
   * The most connections found in the accept queue at once: docs/operating.md has what this cannot see. undefined on
   * `js`.
   */
  queueHighWater: number | undefined;
}

/** The counters of one connection, as published at its end. */
export interface ConnectionStats {
  /** Bytes received. */
  bytesRead: number;
  /** Bytes sent. Native: handed to the kernel; `js`: written. */
  bytesWritten: number;
  /** Native only, like all that follow; named as in ServerStats. */
  messages: number | undefined;
  /** System calls that sent. */
  sends: number | undefined;
  /** Sends of which the kernel took only a part. */
  partialSends: number | undefined;
  /** Sends of which the kernel took nothing (EAGAIN). */
  sendEagains: number | undefined;
  /** How often the connection waited until the kernel had room again. */
  waits: number | undefined;
  /** Total milliseconds of those waits. */
  waitMillis: number | undefined;
}
