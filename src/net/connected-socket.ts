/** The interfaces between a connection, its socket, and a reader that takes the socket's place. */
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

/** A reader that needs no chunks, as long as the stream has no other consumer. */
export interface InPlaceReader {
  /** Whether it has read the peer's last message, as declared by the peer. */
  readonly hasReadLast: boolean;
  /** Whether it is running ticks, after which more of the current read may follow. */
  readonly isAmidRead: boolean;
  /** Whether it still reads this socket, and is the only one to do so. */
  readonly isOnlyReader: boolean;
  /** Whether reading is paused, even if the socket is resumed. */
  readonly rests: boolean;
  /**
   * Takes `memory[start..end)`, which belongs to the engine again after this call. Returns false if nothing was done;
   * the stream must then be given a chunk.
   */
  takeInPlace(memory: Buffer, start: number, end: number): boolean;
  /** Whether the next `length` bytes belong to a body that it reads. */
  awaitsBody(length: number): boolean;
}

/** Held back from the stream: a chunk, the end (undefined), or a negative errno. */
export type Unread = Buffer | number | undefined;
