/** What of node's stream states is looked at. Plain fields or accessors in every node from 20 on. */

/** @inline */
export type WriteCallback = (error?: Error | null) => void;

export interface WritableStateView {
  readonly length: number;
  readonly corked: number;
  readonly ending: boolean;
  /** The only one that is written to. */
  needDrain: boolean;
  /** Writes whose callback is still to come. */
  readonly pendingcb: number;
  /** The writes that wait. */
  getBuffer(): readonly HeldWrite[];
}

export interface ReadableStateView {
  dataEmitted: boolean;
  readonly length: number;
  readonly flowing: boolean | null;
  readonly decoder: unknown;
}

/** A write past the stream. */
export interface HeldWrite {
  chunk: string | Uint8Array;
  encoding: BufferEncoding;
  callback: WriteCallback | undefined;
}
