/** The parts of node's stream states that we read: plain fields or accessors in every node from 20 on. */

/** @inline */
export type WriteCallback = (error?: Error | null) => void;

export interface WritableStateView {
  readonly length: number;
  readonly corked: number;
  readonly ending: boolean;
  /** The only field that we write. */
  needDrain: boolean;
  /** Writes whose callback has not been called yet. */
  readonly pendingcb: number;
  /** The buffered writes. */
  getBuffer(): readonly HeldWrite[];
}

export interface ReadableStateView {
  dataEmitted: boolean;
  readonly length: number;
  readonly flowing: boolean | null;
  readonly decoder: unknown;
}

/** A write that bypasses the stream. */
export interface HeldWrite {
  chunk: string | Uint8Array;
  encoding: BufferEncoding;
  callback: WriteCallback | undefined;
}
