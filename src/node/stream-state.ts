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
  ended: boolean;
  endEmitted: boolean;
  destroyed: boolean;
  closed: boolean;
  closeEmitted: boolean;
  readonly emittedReadable: boolean;
  readonly resumeScheduled: boolean;
  readonly length: number;
  flowing: boolean | null;
  readonly decoder: unknown;
}

/** The state of a stream's writable side. */
export function writableState(stream: object): WritableStateView {
  return (stream as { readonly _writableState: WritableStateView })._writableState;
}

/** The state of a stream's readable side. */
export function readableState(stream: object): ReadableStateView {
  return (stream as { readonly _readableState: ReadableStateView })._readableState;
}

/** A write that bypasses the stream. */
export interface HeldWrite {
  chunk: string | Uint8Array;
  encoding: BufferEncoding;
  callback: WriteCallback | undefined;
}
