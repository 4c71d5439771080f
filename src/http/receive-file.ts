/**
 * Writes the bodies of requests to files: `receiveFile(request, handle)`.
 *
 * receiving --(end of the body, all of it written)--> over
 *     \--(the file fails, the limit, the client is gone)--> over, as soon as no write is in progress
 */
import type { IncomingMessage } from 'node:http';
import { abortedError, argTypeError, argValueError, bodyTooLargeError, fileError } from '../errors/index.js';
import { throwIfAborted, whenAborted } from '../config/signal.js';
import {
  checkReceiveFile,
  promiseOf,
  type FileDone,
  type FileTarget,
  type FileTargetOptions,
  type ReceiveFileCall,
} from '../files/options.js';
import { writeAll } from '../files/pieces.js';
import type { FileSink } from '../net/file-sink.js';
import { BodyBelow } from './body-below.js';

/** Options of `receiveFile()` for requests. */
export interface HttpReceiveFileOptions extends FileTargetOptions {
  /**
   * Where in the file the body's first byte goes, from 0. Default: 0; the file's own position is not used or changed.
   * Contents of the file after the body are kept.
   */
  start?: number | undefined;
}

/**
 * Bodies with at least this much still to come are received natively: the switch costs an event-loop iteration, and
 * this is about as much as a pipe takes at once.
 */
const BELOW_BYTES = 64 * 1024;

class BodyReceiver {
  private readonly request: IncomingMessage;
  private readonly fd: number;
  private readonly maxBytes: number;
  private readonly done: FileDone;
  private releaseSignal: (() => void) | undefined;
  /** The file position of the next piece. */
  private at: number;
  private received = 0;
  /** A piece that came through the parser is being written. */
  private writing = false;
  private sink: FileSink | undefined;
  private ended = false;
  private failure: Error | undefined;
  private over = false;

  constructor(request: IncomingMessage, { fd, start = 0, maxBytes }: ReceiveFileCall, done: FileDone) {
    this.request = request;
    this.fd = fd;
    this.at = start;
    this.maxBytes = maxBytes;
    this.done = done;
  }

  begin(signal: AbortSignal | undefined): void {
    const { request, maxBytes } = this;
    if (request.readableEnded || request.destroyed) throw Object.assign(abortedError(), { bytesWritten: 0 });
    this.releaseSignal = whenAborted(signal, this.fail);
    request.on('end', this.onEnd);
    request.on('error', this.onCut);
    request.on('close', this.onCut);
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > maxBytes) {
      this.fail(bodyTooLargeError(maxBytes));
      return;
    }
    const below = length < BELOW_BYTES ? undefined : new BodyBelow(request);
    if (below !== undefined && below.left >= BELOW_BYTES) below.whenQuiet(this.takeBelow, this);
    else request.on('data', this.onData);
  }

  /** Writes what the parser has read; everything after it goes directly to its place in the file. */
  private takeBelow(below: BodyBelow): void {
    if (this.over) {
      below.leave();
      return;
    }
    const read = below.takeRead();
    const { left } = below;
    if (left >= BELOW_BYTES) {
      this.sink = below.start(this.fd, this.at + read.length, left, (outcome) => {
        this.sink = undefined;
        this.received += outcome.arrived;
        this.at += outcome.arrived;
        if (outcome.status < 0) this.failure ??= fileError(outcome.status, 'write', this.fd);
        this.goOn();
      });
    }
    if (this.sink === undefined) below.leave();
    this.write(read);
  }

  private readonly onData = (bytes: Buffer): void => {
    if (this.received + bytes.length > this.maxBytes) {
      this.fail(bodyTooLargeError(this.maxBytes));
      return;
    }
    this.request.pause();
    this.write(bytes);
  };

  private write(bytes: Buffer): void {
    if (bytes.length === 0) {
      this.goOn();
      return;
    }
    this.writing = true;
    const written = (count: number): void => {
      this.received += count;
      this.at += count;
    };
    writeAll(this.fd, bytes, this.at, written, (error) => {
      this.writing = false;
      if (error === null) this.goOn();
      else this.fail(error);
    });
  }

  /** Continues once one of the two paths has finished. */
  private goOn(): void {
    if (this.writing || this.sink !== undefined || this.over) return;
    if (this.failure !== undefined || this.ended) {
      this.settle();
      return;
    }
    if (!this.request.listeners('data').includes(this.onData)) this.request.on('data', this.onData);
    this.request.resume();
  }

  private readonly onEnd = (): void => {
    this.ended = true;
    this.goOn();
  };

  private readonly onCut = (): void => {
    if (!this.ended) this.fail(abortedError());
  };

  private readonly fail = (error: Error): void => {
    this.failure ??= error;
    this.sink?.finish();
    // The caller may close the file when the promise settles: never during a write.
    this.goOn();
  };

  private settle(): void {
    this.over = true;
    const { request, failure } = this;
    this.releaseSignal?.();
    request.removeListener('data', this.onData);
    request.removeListener('end', this.onEnd);
    request.removeListener('error', this.onCut);
    request.removeListener('close', this.onCut);
    // Discards the rest, as node does with unread bodies: then the request can be answered, and the connection stays
    // open.
    if (failure !== undefined && !request.destroyed) request.resume();
    const bytesWritten = this.received;
    this.done(failure === undefined ? null : Object.assign(failure, { bytesWritten }), bytesWritten);
  }
}

function checkRequest(request: unknown): void {
  if (typeof (request as IncomingMessage | null)?.headers !== 'object') {
    throw argTypeError('request', 'an instance of http.IncomingMessage', request);
  }
  const { readableEncoding } = request as IncomingMessage;
  if (readableEncoding !== null) {
    throw argValueError('request', readableEncoding, 'returns text, not bytes: setEncoding() has been called');
  }
}

/**
 * Writes the body of a request to a file that is open for writing: a FileHandle or a descriptor. The caller owns it,
 * and must keep it open until the promise has settled. Call it before anything else reads the request; data that has
 * been read before is not written. Resolves with the number of bytes when all of them have been written.
 *
 * Rejects for invalid arguments, with node:fs's error for the file, with ERR_NEARWIRE_BODY_TOO_LARGE for a body longer
 * than `maxBytes`, with an AbortError, and with ECONNRESET if the client is gone before the body is complete. What has
 * been written until then stays in the file; the error's `bytesWritten` is its length. Except in the last case, the
 * rest of the body is discarded, and the request must still be answered.
 */
export function receiveFile(
  request: IncomingMessage,
  file: FileTarget,
  options: HttpReceiveFileOptions = {},
): Promise<number> {
  return promiseOf((done) => {
    checkRequest(request);
    const call = checkReceiveFile(file, options);
    throwIfAborted(call.signal);
    new BodyReceiver(request, call, done).begin(call.signal);
  });
}
