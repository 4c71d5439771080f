/**
 * Bodies of requests into files: `receiveFile(request, handle)`.
 *
 * receiving --(end of the body, all of it written)--> over
 *     \--(the file fails, the limit, the client is gone)--> over, as soon as no write is under way
 */
import { AsyncResource } from 'node:async_hooks';
import * as fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { argTypeError, argValueError, bodyAbortedError, bodyTooLargeError, fileError } from '../errors/index.js';
import type { FileSink } from '../net/file-sink.js';
import { checkFunction, checkWhole } from '../config/options.js';
import { BodyBelow } from './body-below.js';
import { checkOpenFile } from './open-file.js';

/** Options of `receiveFile()` of requests. */
export interface ReceiveFileOptions {
  /** Where in the file the body's first byte goes, from 0. Default: 0. What the file holds behind the body stays. */
  start?: number | undefined;
  /** The longest body that is taken, in bytes. A longer one fails with ERR_NEARWIRE_BODY_TOO_LARGE. Default: any. */
  limit?: number | undefined;
}

/** `bytes`: the length of the body, all of which has been written. */
export type ReceiveFileCallback = (error: NodeJS.ErrnoException | null, bytes?: number) => void;

/**
 * Bodies with at least so much still to come are taken below JS: the way there costs a turn of the loop, and what a pipe
 * takes at once is about this much.
 */
const BELOW_BYTES = 64 * 1024;

class BodyReceiver {
  private readonly request: IncomingMessage;
  private readonly file: FileHandle | number;
  private readonly limit: number;
  private readonly callback: ReceiveFileCallback;
  /** Where the next piece goes. */
  private at: number;
  private received = 0;
  /** Of what the parser has had, pieces that are still to be written; undefined: none is being written. */
  private pieces: Buffer[] | undefined;
  private sink: FileSink | undefined;
  private ended = false;
  private failure: Error | undefined;
  private over = false;

  constructor(
    request: IncomingMessage,
    file: FileHandle | number,
    { start = 0, limit = Infinity }: ReceiveFileOptions,
    callback: ReceiveFileCallback,
  ) {
    this.request = request;
    this.file = file;
    this.at = start;
    this.limit = limit;
    this.callback = callback;
  }

  private get fd(): number {
    return typeof this.file === 'number' ? this.file : this.file.fd;
  }

  begin(): void {
    const { request, limit } = this;
    if (request.readableEnded || request.destroyed) {
      process.nextTick(this.onAbort);
      return;
    }
    request.on('end', this.onEnd);
    request.on('error', this.onAbort);
    request.on('close', this.onAbort);
    const below = new BodyBelow(request);
    if (Number(request.headers['content-length'] ?? 0) > limit) process.nextTick(fail, this, bodyTooLargeError(limit));
    else if (below.left >= BELOW_BYTES) below.whenQuiet(this.takeBelow, this);
    else request.on('data', this.onData);
  }

  /** What the parser has had is written, and what is still to come goes to its place behind that by itself. */
  private takeBelow(below: BodyBelow): void {
    if (this.over) {
      below.leave();
      return;
    }
    // One write, though node from 26 on gives one piece at a time: an abort between two would leave a hole before what goes
    // below.
    const read = below.takeRead();
    const pieces = read.length > 1 ? [Buffer.concat(read)] : read;
    const { left } = below;
    if (left >= BELOW_BYTES) {
      const offset = pieces.reduce((end, { length }) => end + length, this.at);
      this.sink = below.start(this.fd, offset, left, (outcome) => {
        this.sink = undefined;
        this.received += outcome.arrived;
        if (outcome.status < 0) this.failure ??= fileError(outcome.status, 'write', this.fd);
        this.goOn();
      });
    }
    if (this.sink === undefined) below.leave();
    this.pieces = pieces;
    this.writeNext();
  }

  private readonly onData = (bytes: Buffer): void => {
    if (this.received + bytes.length > this.limit) {
      this.fail(bodyTooLargeError(this.limit));
      return;
    }
    this.request.pause();
    this.pieces = [bytes];
    this.writeNext();
  };

  private writeNext(): void {
    const { pieces = [] } = this;
    const [piece] = pieces;
    if (piece === undefined || this.failure !== undefined) {
      this.pieces = undefined;
      this.goOn();
      return;
    }
    fs.write(this.fd, piece, 0, piece.length, this.at, (error, count) => {
      if (error === null) {
        this.received += count;
        this.at += count;
        if (count < piece.length) pieces[0] = piece.subarray(count);
        else pieces.shift();
      } else {
        this.fail(error);
      }
      this.writeNext();
    });
  }

  /** Nothing more is under way on one of the two paths. */
  private goOn(): void {
    if (this.pieces !== undefined || this.sink !== undefined || this.over) return;
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

  private readonly onAbort = (): void => {
    if (!this.ended) this.fail(bodyAbortedError(this.received));
  };

  fail(error: Error): void {
    this.failure ??= error;
    this.sink?.finish();
    // The caller may close the file when it is told: not under a write.
    this.goOn();
  }

  private settle(): void {
    this.over = true;
    const { request, failure } = this;
    request.removeListener('data', this.onData);
    request.removeListener('end', this.onEnd);
    request.removeListener('error', this.onAbort);
    request.removeListener('close', this.onAbort);
    if (failure === undefined) {
      this.callback(null, this.received);
      return;
    }
    // The rest is thrown away, as node does with bodies that nobody reads: then the request can be answered, and the
    // connection lives on.
    if (!request.destroyed) request.resume();
    this.callback(failure);
  }
}

function fail(receiver: BodyReceiver, error: Error): void {
  receiver.fail(error);
}

function begin(
  request: IncomingMessage,
  file: unknown,
  options: ReceiveFileOptions,
  callback: ReceiveFileCallback,
): void {
  // Plain JavaScript may pass anything.
  const [message, given] = [request, options] as unknown[];
  if (typeof (message as IncomingMessage | null)?.headers !== 'object') {
    throw argTypeError('request', 'an instance of http.IncomingMessage', message);
  }
  if (request.readableEncoding !== null) {
    throw argValueError('request', request.readableEncoding, 'gives text, not bytes: setEncoding() has been called');
  }
  checkOpenFile(file, 'file');
  if (typeof given !== 'object' || given === null) throw argTypeError('options', 'of type object', given);
  const { start, limit } = options as Record<keyof ReceiveFileOptions, unknown>;
  checkWhole(start, 'options.start', 0, Number.MAX_SAFE_INTEGER);
  if (limit !== Infinity) checkWhole(limit, 'options.limit', 0, Number.MAX_SAFE_INTEGER);
  new BodyReceiver(request, file, options, callback).begin();
}

/**
 * Writes the body of a request to a file that is open for writing: a FileHandle or a descriptor, which stays the
 * caller's, and whose own position is left alone. Call it before anything else reads the request; what has been read by
 * then is not written. Calls back, or fulfils its promise, with the number of bytes when all of them have been written.
 *
 * Fails with what node:fs says of the file, with ERR_NEARWIRE_BODY_TOO_LARGE for a body longer than `limit`, and with
 * ECONNRESET where the client is gone before the body is all there. What has been written by then stays in the file. In
 * the first two cases the rest of the body is read and thrown away, and the request is still to be answered.
 */
export function receiveFile(
  request: IncomingMessage,
  file: FileHandle | number,
  options?: ReceiveFileOptions,
): Promise<number>;
export function receiveFile(request: IncomingMessage, file: FileHandle | number, callback: ReceiveFileCallback): void;
export function receiveFile(
  request: IncomingMessage,
  file: FileHandle | number,
  options: ReceiveFileOptions | undefined,
  callback: ReceiveFileCallback,
): void;
export function receiveFile(
  request: IncomingMessage,
  file: FileHandle | number,
  options?: ReceiveFileOptions | ReceiveFileCallback,
  callback?: ReceiveFileCallback,
): Promise<number> | undefined {
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  const given = options ?? {};
  if (callback === undefined) {
    return new Promise((resolve, reject) => {
      begin(request, file, given, (error, bytes = 0) => {
        if (error === null) resolve(bytes);
        else reject(error);
      });
    });
  }
  checkFunction(callback, 'callback');
  const told = callback;
  const scope = new AsyncResource('NEARWIRERECEIVEFILE');
  begin(request, file, given, (error, bytes) => {
    scope.runInAsyncScope(told, undefined, error, bytes);
  });
  return undefined;
}
