/**
 * One file on its way through a native transport: opening it, its range, abort, and the one answer to its caller. What
 * carries it (a socket's stream, a channel) decides on its place among the writes.
 *
 * opening --(the file is there)--> ready --(the connection has its range)--> handed --(the kernel has it all)--> gone
 *      \--(it can't be had, or was aborted)--> left out        \--(aborted)--> left out
 */
import * as fs from 'node:fs';
import { constants } from 'node:os';
import type { Engine } from '../engine/engine.js';
import { abortError, fileError } from '../errors/index.js';
import { FileRange } from '../binding/file-range.js';
import { lengthWithin, OPEN_FLAGS, type SendFileCall } from './open.js';

const { EAGAIN } = constants.errno;

export type Stage = 'opening' | 'ready' | 'handed' | 'gone' | 'left out';

/**
 * A file as a part of a write. It passes for a Buffer in `Writable.write()`, which asks no more of it than its length and
 * its prototype, and which counts that length until the chunk is written.
 */
export class FileChunk {
  /** In bytes; 0 for all of a file that is still to be opened. */
  readonly length: number;
  stage: Stage = 'opening';
  /** Of the file, once it is open. */
  range: FileRange | undefined;
  /** What the caller is told, whatever becomes of the write. */
  failure: Error | undefined;
  /** Whoever waits for it to be opened. */
  onOpened: (() => void) | undefined;

  constructor(length: number) {
    this.length = length;
  }

  opened(): void {
    const told = this.onOpened;
    this.onOpened = undefined;
    told?.();
  }

  /** The part of the write that it comes to; undefined: it is left out. */
  hand(): FileRange | undefined {
    if (this.stage !== 'ready') return undefined;
    this.stage = 'handed';
    return this.range;
  }

  /** What the write of it came to. */
  written(error: Error | null | undefined): void {
    if (this.stage === 'handed' && !error) this.stage = 'gone';
  }
}

Object.setPrototypeOf(FileChunk.prototype, Buffer.prototype as object);

/** Where a file is sent. */
export interface FileCarrier {
  /** Gives the chunk its place among the writes; calls back when it is written, or can't be. */
  write(chunk: FileChunk, callback: (error?: Error | null) => void): void;
  /** Takes a range that the engine has, and of which nothing has gone, back. */
  withdraw(range: FileRange): boolean;
  destroy(error: Error): void;
}

/** One call of sendFile. */
export class FileWrite {
  private readonly engine: Engine;
  private readonly carrier: FileCarrier;
  private readonly call: SendFileCall;
  private done: ((error: Error | null) => void) | undefined;
  private chunk: FileChunk | undefined;
  /** The engine's number, -1: none. */
  private file = -1;

  constructor(engine: Engine, carrier: FileCarrier, call: SendFileCall, done: (error: Error | null) => void) {
    this.engine = engine;
    this.carrier = carrier;
    this.call = call;
    this.done = done;
  }

  /** Nothing is called back from inside. */
  begin(): void {
    const { call, engine } = this;
    if (call.signal?.aborted) {
      process.nextTick(finish, this, abortError(call.signal));
      return;
    }
    call.signal?.addEventListener('abort', this.onAbort);
    const file = engine.native.openFile(call.file);
    if (file === -EAGAIN && typeof call.file === 'string') {
      this.write(new FileChunk(call.length ?? 0));
      this.openInPool(call.file);
      return;
    }
    const length = this.take(file);
    if (typeof length !== 'number') {
      process.nextTick(finish, this, length);
      return;
    }
    const chunk = new FileChunk(length);
    this.ready(chunk, length);
    this.write(chunk);
  }

  /** Notes the engine's file; answers how much of it is to be sent. */
  private take(file: number): number | Error {
    if (file < 0) return fileError(file, 'open', this.call.file);
    this.file = file;
    const size = this.engine.native.fileSize(file);
    return lengthWithin(this.call, size < 0 ? undefined : size);
  }

  private ready(chunk: FileChunk, length: number): void {
    chunk.stage = 'ready';
    chunk.range = new FileRange(this.file, this.call.offset, length);
  }

  private write(chunk: FileChunk): void {
    this.chunk = chunk;
    this.carrier.write(chunk, this.onWritten);
  }

  /** Looking the name up may take a disk: in the thread pool. */
  private openInPool(path: string): void {
    fs.open(path, OPEN_FLAGS, (error, fd) => {
      const { chunk } = this;
      if (chunk === undefined || this.done === undefined) {
        if (!error) fs.closeSync(fd);
        return;
      }
      let length: number | Error = error ?? 0;
      if (!error) {
        length = this.take(this.engine.native.openFile(fd));
        fs.closeSync(fd);
      }
      if (typeof length === 'number') this.ready(chunk, length);
      else this.leaveOut(chunk, length);
      chunk.opened();
    });
  }

  private readonly onWritten = (error?: Error | null): void => {
    this.finish(this.chunk?.failure ?? error ?? null);
  };

  private readonly onAbort = (): void => {
    const { chunk, carrier, call } = this;
    if (chunk === undefined || chunk.stage === 'gone' || call.signal === undefined) return;
    const error = abortError(call.signal);
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
    this.call.signal?.removeEventListener('abort', this.onAbort);
    if (this.file >= 0) this.engine.native.closeFile(this.file);
    this.file = -1;
    done(error);
  }
}

function finish(write: FileWrite, error: Error): void {
  write.finish(error);
}
