/** What a connection and its socket, or who reads in the socket's place, know of each other. */
import type * as net from 'node:net';
import type { HeldWrite, ReadableStateView, WritableStateView } from '../node/stream-state.js';
import type { IdleTimer } from './idle-timer.js';
import type { Onread } from './onread.js';

/** What a connection uses of its socket. */
export interface ConnectedSocket extends net.Socket {
  readonly _readableState: ReadableStateView;
  readonly _writableState: WritableStateView;
  /** Where reads go, if that is a buffer of the program's. */
  _onread?: Onread;
  _idle: IdleTimer | undefined;
  readonly _held: readonly HeldWrite[] | undefined;
  /** It keeps no process alive. */
  _unreferenced: boolean;
  /** The server that accepted it, for programs. */
  server: unknown;
}

/** Who can do without a chunk, as long as the stream has nobody else to give it to. */
export interface InPlaceReader {
  /** The peer's last message has been read: it has said so itself. */
  readonly hasReadLast: boolean;
  /** Ticks run, and there may be more behind them of what has been read. */
  readonly isAmidRead: boolean;
  /** It still reads this socket, and nobody else does. */
  readonly isOnlyReader: boolean;
  /** Nothing is to be read, whoever resumes the socket. */
  readonly rests: boolean;
  /**
   * Takes `memory[start..end)`, which is the engine's again behind this call. False: nothing has been done, and the stream is
   * to be given a chunk.
   */
  takeInPlace(memory: Buffer, start: number, end: number): boolean;
  /** The next so many bytes belong to a body that it reads. */
  awaitsBody(length: number): boolean;
}

/** What the stream has been spared: a chunk, the end, or a negative errno. */
export type Unread = Buffer | number | undefined;
