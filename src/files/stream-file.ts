/**
 * Sends files through a Writable that has no support for them: the `js` transport's sockets, TLS, HTTP/2.
 *
 * A file passes through the stream as one chunk, so that its order and its callback are those of any write. For its
 * first file the stream gets its own `_write` and `_writev`, which distinguish such chunks from others, and write the
 * file's contents with the stream's former methods. Streams without these methods, and those in object mode, are
 * written to piece by piece.
 */
import { constants } from 'node:os';
import { Writable } from 'node:stream';
import { errnoError } from '../errors/index.js';
import { whenAborted } from '../config/signal.js';
import { CANCELLED_WRITES_FAIL } from '../runtime/version.js';
import { openByNode, type Opened } from './open.js';
import { beginSendFile, lengthWithin, type FileDone, type SendFileCall } from './options.js';
import { FileReader } from './pieces.js';

/** Bytes per read: four times the size that node's own file streams read. */
const PIECE_BYTES = 256 * 1024;

const { ECANCELED } = constants.errno;

type Done = (error?: Error | null) => void;

interface QueuedChunk {
  chunk: unknown;
  encoding: BufferEncoding;
}

/** The parts of a Writable used here that its type lacks. */
interface WritableInside {
  _write(chunk: unknown, encoding: string, callback: Done): void;
  _writev?(chunks: QueuedChunk[], callback: Done): void;
}

/**
 * One call of sendFile, and the chunk that represents it in the stream: as for FileChunk, a Writable needs only a
 * length and Buffer's prototype.
 *
 * opening -> ready -> sending -> over; an error, an abort or the end of the stream leads from each of them to over.
 */
class StreamedFile {
  /** What the stream counts: 0 if the file is still to be opened. */
  readonly length: number;
  private readonly stream: Writable;
  private done: FileDone | undefined;
  private state: 'opening' | 'ready' | 'under way' | 'over' = 'opening';
  private part: FileReader | undefined;
  /** Bytes to send. */
  private size = 0;
  /** The result for the caller, however the write ends. */
  private failure: Error | undefined;
  private onOpened: (() => void) | undefined;
  private readonly releaseSignal: () => void;

  constructor(stream: Writable, call: SendFileCall, done: FileDone) {
    this.stream = stream;
    this.done = done;
    this.releaseSignal = whenAborted(call.signal, this.onAbort);
    filesOf(stream).add(this);
    const opened = openByNode(call.file, false, (later) => {
      this.take(call, later);
    });
    if (opened !== undefined) this.take(call, opened);
    this.length = this.size;
  }

  get isOver(): boolean {
    return this.state === 'over';
  }

  /** The file is open, or could not be opened. */
  private take(call: SendFileCall, opened: Opened): void {
    const length = opened instanceof Error ? opened : lengthWithin(call, opened.size);
    if (opened instanceof Error || length instanceof Error || this.isOver) {
      if (!(opened instanceof Error)) opened.close();
      if (length instanceof Error) this.leaveOut(length);
    } else {
      this.part = new FileReader(opened, call.start, length, PIECE_BYTES);
      this.size = length;
      this.state = 'ready';
    }
    this.tellOpened();
  }

  /**
   * Writes the whole file with `write`, then calls back as `_write` does. A file that could not be opened is left out.
   */
  pump(write: (piece: Buffer, callback: Done) => void, callback: Done): void {
    const { part, stream } = this;
    if (this.state === 'opening') {
      this.onOpened = () => {
        this.pump(write, callback);
      };
      return;
    }
    if (this.state === 'over' || part === undefined || part.complete) {
      callback();
      return;
    }
    this.state = 'under way';
    part.pump((piece, next) => {
      if (stream.destroyed) {
        next(errnoError(-ECANCELED, 'write'));
        return;
      }
      write(piece, (failed) => {
        // The write of the last piece may have been cancelled, too.
        const isCut = stream.destroyed && !(part.complete && CANCELLED_WRITES_FAIL);
        next(failed ?? (isCut ? errnoError(-ECANCELED, 'write') : null));
      });
    }, callback);
  }

  /** The stream's callback. */
  readonly onWritten = (error?: Error | null): void => {
    // Some versions of node call back without an error for a write that destroy() has interrupted.
    this.settle(error ?? (this.part?.complete === true ? null : errnoError(-ECANCELED, 'write')));
  };

  private readonly onAbort = (error: Error): void => {
    if (this.isOver) return;
    if (this.state === 'under way') {
      this.failure = error;
      this.stream.destroy(error);
      return;
    }
    this.leaveOut(error);
    this.tellOpened();
  };

  private leaveOut(error: Error): void {
    this.state = 'over';
    this.failure ??= error;
    process.nextTick(settle, this, error);
  }

  private tellOpened(): void {
    const told = this.onOpened;
    this.onOpened = undefined;
    told?.();
  }

  settle(error: Error | null): void {
    const { done } = this;
    this.state = 'over';
    this.part?.close();
    if (done === undefined) return;
    this.done = undefined;
    this.releaseSignal();
    filesOf(this.stream).delete(this);
    done(this.failure ?? error, this.size);
  }
}

Object.setPrototypeOf(StreamedFile.prototype, Buffer.prototype as object);

function settle(file: StreamedFile, error: Error): void {
  file.settle(error);
}

/** The files of each stream whose promises would never settle when it ends. */
const pending = new WeakMap<object, Set<StreamedFile>>();

function filesOf(stream: Writable): Set<StreamedFile> {
  const known = pending.get(stream);
  if (known !== undefined) return known;
  const files = new Set<StreamedFile>();
  pending.set(stream, files);
  // A permanent listener: one for all files of the stream.
  stream.on('close', () => {
    for (const file of files) process.nextTick(settle, file, errnoError(-ECANCELED, 'write'));
  });
  return files;
}

/** Streams whose methods have been replaced. */
const taught = new WeakSet<object>();

/** Makes the stream's `_write` and `_writev` recognize files, whose contents go to the former methods. */
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

/** Begins one checked call. */
export function startSending(stream: Writable, call: SendFileCall, done: FileDone): void {
  const file = new StreamedFile(stream, call, done);
  if (!file.isOver) put(stream, file);
}

/** As `socket.sendFile`, for any stream. */
export function sendFileByStream(stream: Writable, file: unknown, options: unknown): Promise<number> {
  return beginSendFile(file, options, (call, done) => {
    startSending(stream, call, done);
  });
}
