/**
 * Writes what a stream receives to a file: for uploads.
 *
 * Buffered data is written like any bytes. The rest of a native socket's data is received natively: into a pipe, and
 * from there to the file in libuv's thread pool (native/file_sink.h). Any other stream is read and written piece by
 * piece. Data after the end of the file's part is left to the stream.
 *
 *   buffered --(nothing left)--> native --(length, end, failure)--> settled
 *      \---------(length, end, failure)---------------------------/
 */
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers';
import {
  argTypeError,
  bodyTooLargeError,
  fileError,
  prematureCloseError,
  shortBodyError,
  streamInUseError,
} from '../errors/index.js';
import { FileSink, type FileOutcome } from './file-sink.js';
import { SocketConnection } from './socket-connection.js';
import { checkWhole } from '../config/options.js';
import { throwIfAborted, whenAborted } from '../config/signal.js';
import { checkReceiveFile, type FileTarget, type FileTargetOptions, type ReceiveFileCall } from '../files/options.js';
import { writeAll } from '../files/pieces.js';
import { readableState } from '../node/stream-state.js';

/** Options of `receiveFile()` for sockets and streams. */
export interface ReceiveFileOptions extends FileTargetOptions {
  /** Where in the file the first byte goes, from 0. Default: the file's own position, which advances. */
  start?: number | undefined;
  /** How many bytes to take, at most `maxBytes`; data after them is left to the stream. Default: all until the end. */
  length?: number | undefined;
}

/** A stream that has it as a method. */
export interface FileReceiver {
  /** Writes what is received from now on to a file: see `receiveFile`. */
  receiveFile(file: FileTarget, options?: ReceiveFileOptions): Promise<number>;
}

/** The fields of errors of `receiveFile`, in addition to the code. */
export interface ReceiveFileError extends NodeJS.ErrnoException {
  /** Bytes written to the file. */
  bytesWritten: number;
  /** Bytes taken from the stream, which continues after them. */
  bytesTaken: number;
}

const { ENOTCONN } = constants.errno;

type Failure = Error | undefined;

function nextImmediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

class Receiving {
  private readonly stream: Readable;
  private readonly fd: number;
  private readonly signal: AbortSignal | undefined;
  /** The limit for bytes before the end; Infinity: none. */
  private readonly maxBytes: number;
  /** Bytes still to be taken; Infinity: until the end. */
  private left: number;
  /** The file position of the next byte; undefined: the file's own position. */
  private position: number | undefined;
  private taken = 0;
  private written = 0;
  private failure: Failure;
  private ended = false;
  private sink: FileSink | undefined;
  /** Called on any change. */
  private wake: () => void = () => undefined;

  constructor(stream: Readable, { fd, start, maxBytes, signal }: ReceiveFileCall, length: number | undefined) {
    this.stream = stream;
    this.fd = fd;
    this.maxBytes = length === undefined ? maxBytes : Infinity;
    this.left = length ?? maxBytes;
    this.position = start;
    this.signal = signal;
  }

  async run(): Promise<number> {
    const { stream, signal } = this;
    const flowed = stream.readableFlowing === true;
    stream.on('readable', this.onChange).on('end', this.onEnd).on('error', this.onError).on('close', this.onClose);
    const releaseSignal = whenAborted(signal, this.onError);
    if (stream.readableEnded) this.onEnd();
    else if (stream.destroyed) this.onClose();
    try {
      throwIfAborted(signal);
      while (this.left > 0 && !(await this.step()));
      if (this.maxBytes < Infinity) await this.expectEnd();
      else if (this.left > 0 && this.left < Infinity) throw shortBodyError(this.written, this.left);
      return this.written;
    } catch (error) {
      throw Object.assign(error as Error, { bytesWritten: this.written, bytesTaken: this.taken });
    } finally {
      releaseSignal();
      stream
        .off('readable', this.onChange)
        .off('end', this.onEnd)
        .off('error', this.onError)
        .off('close', this.onClose);
      this.connection?.startReading();
      if (flowed) stream.resume();
    }
  }

  private get connection(): SocketConnection | undefined {
    const { _connection: connection } = this.stream as { _connection?: unknown };
    return connection instanceof SocketConnection && connection.open ? connection : undefined;
  }

  /** Takes one piece, or waits for one. True: no more data will come. */
  private async step(): Promise<boolean> {
    const { stream, connection } = this;
    if (this.failure !== undefined) throw this.failure;
    if (stream.readableLength > 0) {
      const chunk = stream.read(Math.min(this.left, stream.readableLength)) as Buffer | null;
      // read() has made the stream request more, which must stay in the kernel.
      connection?.stopReading();
      if (chunk !== null) await this.writePiece(chunk);
      else await this.change();
      return false;
    }
    if (this.ended) return true;
    if (connection === undefined || this.hasSeenEnd()) {
      const changed = this.change();
      // Makes the stream request more and report it, or report its end.
      stream.read(0);
      await changed;
    } else if (await this.takeHeld(connection)) {
      await this.receiveBelow(connection);
    }
    return false;
  }

  /** The last permitted byte has been taken. If more comes instead of the end, it is left to the stream. */
  private async expectEnd(): Promise<void> {
    while (!this.ended) {
      if (this.failure !== undefined) throw this.failure;
      if (this.stream.readableLength > 0) throw bodyTooLargeError(this.maxBytes);
      const changed = this.change();
      this.connection?.startReading();
      this.stream.read(0);
      await changed;
    }
  }

  /** The stream has received its end, and reports it when it is read. */
  private hasSeenEnd(): boolean {
    return readableState(this.stream).ended;
  }

  private change(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  private isOver(): boolean {
    return this.ended || this.failure !== undefined;
  }

  /** Pushes what the engine has read and not yet given to the stream. True: all further data is in the kernel. */
  private async takeHeld(connection: SocketConnection): Promise<boolean> {
    connection.stopReading();
    for (const chunk of connection.takeUnread()) this.stream.push(chunk);
    if (!connection.holdsUnread) return this.stream.readableLength === 0;
    // An end or a failure, which the stream gets in a tick of its own.
    connection.startReading();
    await nextImmediate();
    return false;
  }

  private async receiveBelow(connection: SocketConnection): Promise<void> {
    if (!connection.open || this.isOver()) return;
    const { fd, position: offset = -1, left } = this;
    const limit = Number.isFinite(left) ? left : -1;
    const outcome = await new Promise<FileOutcome>((resolve) => {
      const started = FileSink.start(connection, { fd, offset, limit }, resolve);
      if (typeof started === 'number') resolve({ status: started, taken: 0, arrived: 0 });
      else this.sink = started;
    });
    this.sink = undefined;
    this.count(outcome.taken, outcome.arrived);
    if (outcome.status === 0) {
      // The socket's end, or its failure, is reported in the following ticks.
      if (this.left > 0 && !this.isOver()) await nextImmediate();
      return;
    }
    // The end is about to be reported to the stream.
    if (outcome.status === -ENOTCONN) await nextImmediate();
    else throw this.failure ?? fileError(outcome.status, 'write', fd);
  }

  private count(taken: number, written: number): void {
    this.taken += taken;
    this.written += written;
    this.left -= taken;
    if (this.position !== undefined) this.position += written;
  }

  private writePiece(chunk: Buffer): Promise<void> {
    this.count(chunk.length, 0);
    const { fd, position = null } = this;
    return new Promise((resolve, reject) => {
      const written = (length: number): void => {
        this.count(0, length);
      };
      writeAll(fd, chunk, position, written, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  private readonly onChange = (): void => {
    this.wake();
  };

  private readonly onEnd = (): void => {
    this.ended = true;
    this.wake();
  };

  private readonly onError = (error: Error): void => {
    this.fail(error);
  };

  private readonly onClose = (): void => {
    if (!this.ended) this.fail(prematureCloseError());
  };

  private fail(error: Error): void {
    this.failure ??= error;
    this.sink?.finish();
    this.wake();
  }
}

/**
 * Writes what `stream` receives from now on to an open file: first what it has buffered, then exactly `length` bytes,
 * or all until its end. No other code may listen for its data meanwhile (ERR_NEARWIRE_STREAM_IN_USE). Data after that
 * is left to the stream, which flows again if it did before. Resolves with the number of bytes once the last of them is
 * in the file. Rejects, with `bytesWritten` and `bytesTaken`: ERR_NEARWIRE_SHORT_BODY if the stream ends early;
 * ERR_NEARWIRE_BODY_TOO_LARGE; the stream's error, ERR_STREAM_PREMATURE_CLOSE if it closes early; the file's (ENOSPC,
 * EBADF); an AbortError. Neither the stream nor the file is closed.
 */
export async function receiveFile(
  stream: Readable,
  file: FileTarget,
  options: ReceiveFileOptions = {},
): Promise<number> {
  if (!(stream instanceof Readable)) throw argTypeError('stream', 'an instance of Readable', stream);
  const call = checkReceiveFile(file, options);
  checkWhole(options.length, 'options.length', 0, Math.min(call.maxBytes, Number.MAX_SAFE_INTEGER));
  const listens = stream.listenerCount('data') > 0 || stream.listenerCount('readable') > 0;
  if (listens || stream.readableEncoding !== null || stream.readableObjectMode) throw streamInUseError();
  return new Receiving(stream, call, options.length).run();
}
