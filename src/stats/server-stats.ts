/** What servers tell of themselves: `server.stats()`. */
import type { TransportName } from '../config/options.js';

/**
 * What a server has counted since it was made, over all that it has listened on. All are totals that only grow, except
 * `active`, `messagesPerTurn` and `queueHighWater`. What the `js` transport can't see is undefined there.
 */
export interface ServerStats {
  /** What carries the bytes. */
  transport: TransportName;
  /** Connections taken from the queue, whatever became of them. */
  accepted: number;
  /** Those of them that were closed at once: over `maxConnections`, on the block list, or for want of descriptors. */
  dropped: number;
  /** Those of the dropped for which the process had no descriptor left (EMFILE, ENFILE). Native only. */
  shed: number | undefined;
  /** Connections that are open now. */
  active: number;
  /** Bytes received. */
  bytesRead: number;
  /** Bytes sent. Native: handed to the kernel; `js`: written, which includes what still waits in the process. */
  bytesWritten: number;
  /** Turns of the loop in which any connection, or the queue, was ready. Native only, as all that follows. */
  turns: number | undefined;
  /** Reads that have brought bytes. Each is handed to JavaScript, unless a relay or a file takes it below. */
  messages: number | undefined;
  /** `messages / turns`: how many of them one call into JavaScript carries. undefined before the first turn. */
  messagesPerTurn: number | undefined;
  /** System calls that read. */
  reads: number | undefined;
  /** Those of them that found nothing (EAGAIN). */
  readEagains: number | undefined;
  /** System calls that sent. */
  sends: number | undefined;
  /** Those of them of which the kernel took only a part. */
  partialSends: number | undefined;
  /** Those of them of which the kernel took nothing (EAGAIN). */
  sendEagains: number | undefined;
  /** Times that a connection waited, after a partial or refused send, until the kernel had room again. */
  waits: number | undefined;
  /** How long connections have waited so, in all, in milliseconds. Two that wait at the same time count twice. */
  waitMillis: number | undefined;
  /**
   * The most connections that were found waiting to be accepted at once: see docs/operating.md for what this can't see.
   * undefined on `js`.
   */
  queueHighWater: number | undefined;
}

/** What one connection has counted, as the event of its end tells it. */
export interface ConnectionStats {
  /** Bytes received. */
  bytesRead: number;
  /** Bytes sent. Native: handed to the kernel; `js`: written. */
  bytesWritten: number;
  /** Native only, as all that follows, and named as in ServerStats. */
  messages: number | undefined;
  /** System calls that sent. */
  sends: number | undefined;
  /** Sends of which the kernel took only a part. */
  partialSends: number | undefined;
  /** Sends of which the kernel took nothing (EAGAIN). */
  sendEagains: number | undefined;
  /** Times that the connection waited until the kernel had room again. */
  waits: number | undefined;
  /** How long it waited so, in all, in milliseconds. */
  waitMillis: number | undefined;
}
