/**
 * Files through a Writable that knows nothing of them: the `js` transport's sockets, TLS, HTTP/2.
 *
 * A file goes through the stream as one chunk, so that its place and its callback are those of any write. On its first
 * file the stream gets a `_write` and a `_writev` of its own, which tell such chunks from others, and have what is read of
 * the file written by the stream's former ones. Streams without them, and those of objects, are written to piece by piece.
 */
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { Writable } from 'node:stream';
import { abortError, errnoError, fileError, fileTruncatedError } from '../errors/index.js';
import { lengthWithin, OPEN_FLAGS, withSendFileArguments, type SendFileCall } from './open.js';

/** Read at a time: what node's own file streams read, four times over. */
const PIECE_BYTES = 256 * 1024;

const { EBADF, ECANCELED, EISDIR, ESPIPE } = constants.errno;

type Done = (error?: Error | null) => void;

interface QueuedChunk {
  chunk: unknown;
  encoding: BufferEncoding;
}

/** What is used of a Writable beyond its type. */
interface WritableInside {
  _write(chunk: unknown, encoding: string, callback: Done): void;
  _writev?(chunks: QueuedChunk[], callback: Done): void;
}

/** Another descriptor of an open file, so that its owner may close it. The kernel's list of them stands in for dup(2). */
function duplicate(fd: number): number {
  const linux = process.platform === 'linux';
  // Opening it anew would make it readable.
  if (linux && isWriteOnly(fd)) throw fileError(-EBADF, 'open', fd);
  return fs.openSync(`${linux ? '/proc/self' : '/dev'}/fd/${String(fd)}`, OPEN_FLAGS);
}

function isWriteOnly(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'latin1'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & 3) === fs.constants.O_WRONLY;
}

/**
 * One call of sendFile, and the chunk that stands for it in the stream: as for FileChunk, a length and Buffer's prototype
 * are all that a Writable asks for.
 *
 * opening -> ready -> under way -> over; from each of them to over by an error, an abort or the stream's end.
 */
class StreamedFile {
  /** What the stream counts. */
  readonly length: number;
  private readonly stream: Writable;
  private readonly call: SendFileCall;
  private done: ((error: Error | null) => void) | undefined;
  private state: 'opening' | 'ready' | 'under way' | 'over' = 'opening';
  private fd = -1;
  private position: number;
  private left = 0;
  /** The pool has the descriptor. */
  private reading = false;
  /** What the caller is told, whatever becomes of the write. */
  private failure: Error | undefined;
  private onOpened: (() => void) | undefined;

  constructor(stream: Writable, call: SendFileCall, length: number, done: (error: Error | null) => void) {
    this.length = length;
    this.stream = stream;
    this.call = call;
    this.position = call.offset;
    this.done = done;
    call.signal?.addEventListener('abort', this.onAbort);
    filesOf(stream).add(this);
  }

  openInPool(path: string): void {
    fs.open(path, OPEN_FLAGS, (error, fd) => {
      if (error) {
        this.opened(-1, error);
        return;
      }
      fs.fstat(fd, (failure, status) => {
        this.opened(fd, failure ?? lengthOf(this.call, status));
      });
    });
  }

  /** The file is open: how much of it is to be sent, or why it can't be. */
  opened(fd: number, length: number | Error): void {
    this.fd = fd;
    if (this.state === 'over' || typeof length !== 'number') {
      this.settle(typeof length === 'number' ? null : length);
    } else {
      this.left = length;
      this.state = 'ready';
    }
    this.tellOpened();
  }

  /** Has all of it written by `write`, then calls back as `_write` does. A file that can't be had is left out. */
  pump(write: (piece: Buffer, callback: Done) => void, callback: Done): void {
    if (this.state === 'opening') {
      this.onOpened = () => {
        this.pump(write, callback);
      };
      return;
    }
    if (this.state === 'over' || this.left === 0) {
      callback();
      return;
    }
    this.state = 'under way';
    this.read((error, piece) => {
      if (error) {
        callback(error);
        return;
      }
      write(piece, (failed) => {
        if (failed ?? this.cut) callback(failed ?? errnoError(-ECANCELED, 'write'));
        else this.pump(write, callback);
      });
    });
  }

  private read(callback: (error: Error | null, piece: Buffer) => void): void {
    const piece = Buffer.allocUnsafeSlow(Math.min(this.left, PIECE_BYTES));
    this.reading = true;
    fs.read(this.fd, piece, 0, piece.length, this.position, (error, length) => {
      this.reading = false;
      if (this.state === 'over') this.close();
      if (error !== null || this.cut || length === 0) {
        callback(error ?? (this.cut ? errnoError(-ECANCELED, 'write') : fileTruncatedError()), piece);
        return;
      }
      this.position += length;
      this.left -= length;
      callback(null, piece.subarray(0, length));
    });
  }

  /** The stream has been destroyed before the end of the file. */
  private get cut(): boolean {
    return this.left > 0 && this.stream.destroyed;
  }

  /** The stream's callback. */
  readonly onWritten = (error?: Error | null): void => {
    // Some versions of node call back without an error for a write that destroy() has cut short.
    this.settle(error ?? (this.left > 0 ? errnoError(-ECANCELED, 'write') : null));
  };

  private readonly onAbort = (): void => {
    if (this.call.signal === undefined || this.state === 'over') return;
    this.failure = abortError(this.call.signal);
    if (this.state === 'under way') {
      this.stream.destroy(this.failure);
      return;
    }
    this.state = 'over';
    process.nextTick(settle, this, this.failure);
    this.tellOpened();
  };

  private tellOpened(): void {
    const told = this.onOpened;
    this.onOpened = undefined;
    told?.();
  }

  settle(error: Error | null): void {
    const { done } = this;
    this.state = 'over';
    this.close();
    if (done === undefined) return;
    this.done = undefined;
    this.call.signal?.removeEventListener('abort', this.onAbort);
    filesOf(this.stream).delete(this);
    done(this.failure ?? error);
  }

  private close(): void {
    if (this.fd < 0 || this.reading) return;
    fs.closeSync(this.fd);
    this.fd = -1;
  }
}

Object.setPrototypeOf(StreamedFile.prototype, Buffer.prototype as object);

function settle(file: StreamedFile, error: Error): void {
  file.settle(error);
}

function lengthOf(call: SendFileCall, status: fs.Stats): number | Error {
  if (status.isFile()) return lengthWithin(call, status.size);
  if (status.isBlockDevice()) return lengthWithin(call, undefined);
  return fileError(status.isDirectory() ? -EISDIR : -ESPIPE, 'open', call.file);
}

/** The files of each stream that its end would leave without an answer. */
const pending = new WeakMap<object, Set<StreamedFile>>();

function filesOf(stream: Writable): Set<StreamedFile> {
  const known = pending.get(stream);
  if (known !== undefined) return known;
  const files = new Set<StreamedFile>();
  pending.set(stream, files);
  // A listener that stays: one for all its files.
  stream.on('close', () => {
    for (const file of files) process.nextTick(settle, file, errnoError(-ECANCELED, 'write'));
  });
  return files;
}

/** Streams that know files. */
const taught = new WeakSet<object>();

/** Has the stream's `_write` and `_writev` see files; what is read of them goes to those that it had. */
function teach(stream: Writable): void {
  if (taught.has(stream)) return;
  taught.add(stream);
  const inside = stream as unknown as WritableInside;
  const { _write: write, _writev: writev } = inside;
  const writePiece = (piece: Buffer, callback: Done): void => {
    write.call(stream, piece, 'buffer', callback);
  };
  const writeOne = (chunk: unknown, encoding: string, callback: Done): void => {
    if (chunk instanceof StreamedFile) chunk.pump(writePiece, callback);
    else write.call(stream, chunk, encoding, callback);
  };
  inside._write = writeOne;
  if (!writev) return;
  inside._writev = (chunks, callback) => {
    if (!chunks.some(({ chunk }) => chunk instanceof StreamedFile)) {
      writev.call(stream, chunks, callback);
      return;
    }
    const next = (at: number): void => {
      const entry = chunks[at];
      if (entry === undefined) callback();
      else
        writeOne(entry.chunk, entry.encoding, (error) => {
          if (error) callback(error);
          else if (stream.destroyed) callback(errnoError(-ECANCELED, 'write'));
          else next(at + 1);
        });
    };
    next(0);
  };
}

/** Whether files can go through the stream's own queue. */
function takesFiles(stream: Writable): boolean {
  const { _write: write } = stream as unknown as Partial<WritableInside>;
  return stream instanceof Writable && typeof write === 'function' && !stream.writableObjectMode;
}

function put(stream: Writable, file: StreamedFile): void {
  if (takesFiles(stream)) {
    teach(stream);
    stream.write(file, file.onWritten);
    return;
  }
  file.pump((piece, callback) => void stream.write(piece, callback), file.onWritten);
}

/** One checked call. */
export function startSending(stream: Writable, call: SendFileCall, done: (error: Error | null) => void): void {
  if (call.signal?.aborted) {
    process.nextTick(done, abortError(call.signal));
    return;
  }
  if (typeof call.file === 'string') {
    const file = new StreamedFile(stream, call, call.length ?? 0, done);
    file.openInPool(call.file);
    put(stream, file);
    return;
  }
  let fd = -1;
  let length: number | Error;
  try {
    length = call.file < 0 ? fileError(-EBADF, 'open', call.file) : lengthOf(call, fs.fstatSync(call.file));
    if (typeof length === 'number') fd = duplicate(call.file);
  } catch (error) {
    length = error as Error;
  }
  if (typeof length !== 'number') {
    process.nextTick(done, length);
    return;
  }
  const file = new StreamedFile(stream, call, length, done);
  file.opened(fd, length);
  put(stream, file);
}

/** As `socket.sendFile`, for any stream. */
export function sendFileByStream(
  stream: Writable,
  file: unknown,
  options: unknown,
  callback: unknown,
): Promise<void> | undefined {
  return withSendFileArguments(file, options, callback, (call, done) => {
    startSending(stream, call, done);
  });
}
