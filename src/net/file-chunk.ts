/**
 * Files in a native socket's stream. A file goes through the Writable as a chunk, which gives it the place, the accounting
 * and the callback of any write; `_write` finds it and hands its range to the wire.
 *
 * opening --(the file is there)--> ready --(the wire has its range)--> handed --(the kernel has it all)--> gone
 *      \--(it can't be had, or was aborted)--> left out        \--(aborted)--> left out
 */
import * as fs from 'node:fs';
import { constants } from 'node:os';
import type { Engine } from '../engine.js';
import { abortError, errnoError, fileError } from '../errors.js';
import { FileRange, type WritePart } from '../file-range.js';
import { lengthWithin, type SendFileCall } from '../files.js';
import type { NativeSocket } from './socket.js';
import type { SocketWire, WriteCallback } from './socket-wire.js';

const { EAGAIN, ECANCELED } = constants.errno;
const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;

type Stage = 'opening' | 'ready' | 'handed' | 'gone' | 'left out';

/**
 * Passes for a Buffer in `Writable.write()`, which asks no more of it than its length and its prototype, and which counts
 * that length until the chunk is written.
 */
export class FileChunk {
  readonly length: number;
  stage: Stage = 'opening';
  /** Of the file, once it is open. */
  range: FileRange | undefined;
  /** What the caller is told, whatever the stream says of the chunk. */
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
}

Object.setPrototypeOf(FileChunk.prototype, Buffer.prototype as object);

export function isFile(part: object): boolean {
  return part instanceof FileChunk;
}

/** Whether a file waits in the stream. */
export function holdsFiles(socket: NativeSocket): boolean {
  if (socket._earlyWrite !== undefined) return true;
  return socket._writableState.getBuffer().some(({ chunk }) => typeof chunk === 'object' && isFile(chunk));
}

/** One call of sendFile. */
class FileWrite {
  private readonly socket: NativeSocket;
  private readonly engine: Engine;
  private readonly call: SendFileCall;
  private done: ((error: Error | null) => void) | undefined;
  private chunk: FileChunk | undefined;
  /** The engine's number, -1: none. */
  private file = -1;

  constructor(socket: NativeSocket, call: SendFileCall, done: (error: Error | null) => void) {
    this.socket = socket;
    this.engine = socket._settings.engine;
    this.call = call;
    this.done = done;
  }

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
    if (file < 0) return fileError(file, typeof this.call.file === 'string' ? 'open' : 'sendfile', this.call.file);
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
    this.socket._writeChunk(chunk as unknown as Uint8Array, this.onWritten);
  }

  /** Looking the name up may take a disk: in the thread pool. A named pipe, which is refused later, must not hold it. */
  private openInPool(path: string): void {
    fs.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, (error, fd) => {
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

  /** The stream's callback. */
  private readonly onWritten = (error?: Error | null): void => {
    const { chunk } = this;
    const cut = this.socket._wire?.cut === true ? errnoError(-ECANCELED, 'write') : null;
    this.finish(chunk?.failure ?? error ?? cut);
  };

  private readonly onAbort = (): void => {
    const { chunk, socket, call } = this;
    if (chunk === undefined || chunk.stage === 'gone' || call.signal === undefined) return;
    const error = abortError(call.signal);
    const wire = socket._wire;
    if (chunk.stage !== 'handed') {
      this.leaveOut(chunk, error);
      process.nextTick(finish, this, error);
      chunk.opened();
    } else if (wire?.open === true && this.engine.native.withdrawFile(wire.id, this.file)) {
      wire.bytesWritten -= chunk.range?.length ?? 0;
      this.leaveOut(chunk, error);
      process.nextTick(finish, this, error);
    } else {
      chunk.failure = error;
      socket.destroy(error);
    }
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

/** Puts a file into the stream's queue. Nothing is called back from inside. */
export function sendFileNatively(socket: NativeSocket, call: SendFileCall, done: (error: Error | null) => void): void {
  new FileWrite(socket, call, done).begin();
}

/** The stream's write of parts with a file among them: now, or as soon as all files are open. */
export function dispatchFiles(
  socket: NativeSocket,
  wire: SocketWire,
  parts: Uint8Array[],
  callback: WriteCallback,
): void {
  const files = (parts as object[]).filter((part): part is FileChunk => part instanceof FileChunk);
  const opening = files.find((file) => file.stage === 'opening');
  if (opening !== undefined) {
    socket._earlyWrite = { parts, callback };
    opening.onOpened = () => {
      socket._writeOpened();
    };
    return;
  }
  const ranges = (parts as (Uint8Array | FileChunk)[]).flatMap((part): WritePart[] => {
    if (!(part instanceof FileChunk)) return [part];
    return part.stage === 'ready' && part.range !== undefined ? [part.range] : [];
  });
  const handed = files.filter((file) => file.stage === 'ready');
  for (const file of handed) file.stage = 'handed';
  for (const range of ranges) wire.bytesWritten += range.length;
  wire.sendParts(ranges, (error) => {
    for (const file of handed) if (file.stage === 'handed' && !error) file.stage = 'gone';
    callback(error);
  });
}
