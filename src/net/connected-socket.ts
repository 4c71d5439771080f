/** The interfaces between a connection, its socket, and a reader of that which acts as one of node's own handles. */
import type * as net from 'node:net';
import type { HeldWrite } from '../node/stream-state.js';
import type { IdleTimer } from './idle-timer.js';
import type { Onread } from './onread.js';

/** What a connection uses of its socket. */
export interface ConnectedSocket extends net.Socket {
  /** Set if reads go into a buffer of the program's. */
  _onread?: Onread;
  _idle: IdleTimer | undefined;
  readonly _held: readonly HeldWrite[] | undefined;
  /** Whether it is unreferenced, so that it does not keep the process alive. */
  _unreferenced: boolean;
  /** The server that accepted it, for programs. */
  server: unknown;
}

/** A consumer of the stream that node would let read from the handle. */
export interface StreamReader {
  /** Whether it is running ticks, after which more of the current read may follow. */
  readonly isAmidRead: boolean;
  /** Whether it still reads this socket, and is the only one to do so. */
  readonly isOnlyReader: boolean;
  /** Whether reading is paused, even if the socket is resumed. */
  readonly rests: boolean;
}

/** Held back from the stream: a chunk, the end (undefined), or a negative errno. */
export type Unread = Buffer | number | undefined;
