/**
 * One file sent by a native transport: opening it, its range, abort, and the result for its caller. The carrier (a
 * socket's stream, a channel) decides on its place among the writes.
 *
 * opening --(the file is open)--> ready --(the connection has its range)--> handed --(the kernel has all of it)--> gone
 *     \--(it cannot be opened, or was aborted)--> left out        \--(aborted)--> left out
 */
import type { Engine } from '../engine/engine.js';
import { FileRange } from '../binding/file-range.js';
import { whenAborted } from '../config/signal.js';
import { openByEngine, type Opened, type OpenFile } from './open.js';
import { lengthWithin, type FileDone, type SendFileCall } from './options.js';

export type Stage = 'opening' | 'ready' | 'handed' | 'gone' | 'left out';

/**
 * A file as a part of a write. `Writable.write()` accepts it as a Buffer: it uses only length and prototype, and counts
 * that length until the chunk is written.
 */
export class FileChunk {
  /** In bytes; 0 for a whole file that is still to be opened. */
  readonly length: number;
  stage: Stage = 'opening';
  /** The range to send, once the file is open. */
  range: FileRange | undefined;
  /** The result for the caller, however the write ends. */
  failure: Error | undefined;
  /** Called once the file is open or has failed to open. */
  onOpened: (() => void) | undefined;

  constructor(length: number) {
    this.length = length;
  }

  ready(range: FileRange): void {
    this.stage = 'ready';
    this.range = range;
  }

  opened(): void {
    const told = this.onOpened;
    this.onOpened = undefined;
    told?.();
  }

  /** Returns the file's part of the write; undefined: it is left out. */
  hand(): FileRange | undefined {
    if (this.stage !== 'ready') return undefined;
    this.stage = 'handed';
    return this.range;
  }

  /** The outcome of its write. */
  written(error: Error | null | undefined): void {
    if (this.stage === 'handed' && !error) this.stage = 'gone';
  }
}

Object.setPrototypeOf(FileChunk.prototype, Buffer.prototype as object);

/** The socket or channel that sends the file. */
export interface FileCarrier {
  /** Puts the chunk among the writes; calls back when it has been written or has failed. */
  write(chunk: FileChunk, callback: (error?: Error | null) => void): void;
  /** Takes back a range from the engine, if none of it has been sent. */
  withdraw(range: FileRange): boolean;
  destroy(error: Error): void;
}

/** One call of sendFile. */
export class FileWrite {
  private readonly engine: Engine;
  private readonly carrier: FileCarrier;
  private readonly call: SendFileCall;
  private done: FileDone | undefined;
  private chunk: FileChunk | undefined;
  private file: OpenFile | undefined;
  private releaseSignal: (() => void) | undefined;

  constructor(engine: Engine, carrier: FileCarrier, call: SendFileCall, done: FileDone) {
    this.engine = engine;
    this.carrier = carrier;
    this.call = call;
    this.done = done;
  }

  /** Calls no callback synchronously. */
  begin(): void {
    const { call, engine } = this;
    this.releaseSignal = whenAborted(call.signal, this.onAbort);
    const opened = openByEngine(engine, call.file, this.onOpened);
    if (opened === undefined) {
      this.write(new FileChunk(0));
      return;
    }
    const range = this.take(opened);
    if (range instanceof Error) {
      process.nextTick(finish, this, range);
      return;
    }
    const chunk = new FileChunk(range.length);
    chunk.ready(range);
    this.write(chunk);
  }

  /** Keeps the file; returns the range of it to send. */
  private take(opened: Opened): FileRange | Error {
    if (opened instanceof Error) return opened;
    this.file = opened;
    const length = lengthWithin(this.call, opened.size);
    return typeof length === 'number' ? new FileRange(opened.engineFile, this.call.start, length) : length;
  }

  private write(chunk: FileChunk): void {
    this.chunk = chunk;
    this.carrier.write(chunk, this.onWritten);
  }

  /** Called by the thread pool. */
  private readonly onOpened = (opened: Opened): void => {
    const { chunk } = this;
    if (chunk === undefined || this.done === undefined) {
      if (!(opened instanceof Error)) opened.close();
      return;
    }
    const range = this.take(opened);
    if (range instanceof Error) this.leaveOut(chunk, range);
    else chunk.ready(range);
    chunk.opened();
  };

  private readonly onWritten = (error?: Error | null): void => {
    this.finish(this.chunk?.failure ?? error ?? null);
  };

  private readonly onAbort = (error: Error): void => {
    const { chunk, carrier } = this;
    if (chunk === undefined || chunk.stage === 'gone') return;
    if (chunk.stage === 'handed' && (chunk.range === undefined || !carrier.withdraw(chunk.range))) {
      chunk.failure = error;
      carrier.destroy(error);
      return;
    }
    this.leaveOut(chunk, error);
    process.nextTick(finish, this, error);
    chunk.opened();
  };

  private leaveOut(chunk: FileChunk, failure: Error): void {
    chunk.stage = 'left out';
    chunk.failure = failure;
  }

  finish(error: Error | null): void {
    const { done } = this;
    if (done === undefined) return;
    this.done = undefined;
    this.releaseSignal?.();
    this.file?.close();
    done(error, this.chunk?.range?.length);
  }
}

function finish(write: FileWrite, error: Error): void {
  write.finish(error);
}
