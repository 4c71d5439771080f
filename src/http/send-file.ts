/**
 * Files as answers of node:http: `sendFile(response, file)`.
 *
 * The head is made and sent by node. The body goes by reference, past node's OutgoingMessage and in its turn, where the
 * response owns a socket of the native transport and nobody is to see the bytes; else it is read and written. Either way
 * the response ends as if node had written the body.
 *
 * States: waiting for its turn -> opening the file -> sending -> over. 'close' of the response leads from each to over.
 */
import { AsyncResource } from 'node:async_hooks';
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { argTypeError, headersSentError, outOfRangeError, prematureCloseError } from '../errors/index.js';
import { checkFunction, checkWhole } from '../config/options.js';
import { NativeSocket } from '../net/socket.js';
import { sendBody } from './body-path.js';
import { keepHead, makeHead, type FileHeaders } from './file-head.js';
import { checkFile, openFile, openForEngine, type FileSource, type OpenFile } from './open-file.js';

/** Options of `sendFile()` of responses. */
export interface SendFileOptions {
  /**
   * Headers of the answer, beside those that the response has already. A value of null leaves that header out: without
   * `ETag` or `Last-Modified` requests are not compared with it, without `Accept-Ranges` they get the whole.
   */
  headers?: FileHeaders | undefined;
  /** The first byte of the file that is served, from 0. Default: 0. */
  start?: number | undefined;
  /** The last byte that is served, as in fs.createReadStream. Default: Infinity, the file's last. */
  end?: number | undefined;
  /**
   * false: the head is the caller's, as a framework has made it. Its status and headers are sent as they are, with the
   * Content-Length of what is served; nothing is added, and of the request nothing but HEAD is heeded. Default: true.
   */
  conditional?: boolean | undefined;
}

/** Called once: with null when the response has ended, else with the reason why the body is not whole. */
export type SendFileCallback = (error: NodeJS.ErrnoException | null) => void;

// Its end is told by us; without this the collector would have to watch each one.
const MANUAL_DESTROY = { requireManualDestroy: true };

/** The part of OutgoingMessage that its types leave out. */
interface Response extends http.ServerResponse {
  /** Absent in HTTP/2. */
  readonly _hasBody?: boolean;
}

/** Answers that wait for their turn, by connection: one listener is enough for all that a client has pipelined. */
const queues = new WeakMap<Socket, Set<FileAnswer>>();

function queueOf(socket: Socket): Set<FileAnswer> {
  let queue = queues.get(socket);
  if (queue === undefined) {
    const made = (queue = new Set<FileAnswer>());
    queues.set(socket, made);
    socket.once('close', () => {
      for (const answer of made) answer.onClose();
    });
  }
  return queue;
}

class FileAnswer {
  private readonly response: Response;
  private readonly source: FileSource;
  private readonly options: SendFileOptions;
  private readonly callback: SendFileCallback;
  private over = false;

  constructor(response: Response, source: FileSource, options: SendFileOptions, callback: SendFileCallback) {
    this.response = response;
    this.source = source;
    this.options = options;
    this.callback = callback;
  }

  start(): void {
    const { response } = this;
    if (response.headersSent || response.writableEnded) {
      process.nextTick(this.settle, headersSentError());
      return;
    }
    if (response.destroyed || response.req.socket.destroyed) {
      process.nextTick(this.settle, prematureCloseError());
      return;
    }
    response.on('close', this.onClose);
    if (response.socket !== null) {
      this.open();
      return;
    }
    // An earlier answer has the connection. No file is held open for a turn that may not come.
    response.once('socket', this.onTurn);
    queueOf(response.req.socket).add(this);
  }

  private readonly onTurn = (): void => {
    queues.get(this.response.req.socket)?.delete(this);
    this.open();
  };

  private open(): void {
    const { socket } = this.response;
    if (socket instanceof NativeSocket) openForEngine(socket._settings.engine, this.source, this.onOpen);
    else openFile(this.source, this.onOpen);
  }

  private readonly onOpen = (error: Error | null, file?: OpenFile): void => {
    if (file === undefined) {
      this.settle(error);
      return;
    }
    if (this.over || this.response.headersSent) {
      file.close();
      this.settle(headersSentError());
      return;
    }
    try {
      this.answer(file);
    } catch (thrown) {
      // A header that is none, or a listener of the application's.
      file.close();
      this.settle(thrown as Error);
    }
  };

  private answer(file: OpenFile): void {
    const { response, options } = this;
    const { headers, start = 0, end = Infinity, conditional = true } = options;
    const size = Math.max(0, Math.min(file.size, end + 1) - start);
    const served = { fileSize: file.size, modified: file.modified, start, size };
    const outcome = conditional ? makeHead(response, headers, served) : keepHead(response, headers, size);
    response.on('finish', this.onFinish);
    response.writeHead(response.statusCode);
    if (outcome.length === 0 || response._hasBody === false || response.req.method === 'HEAD') {
      file.close();
      response.end();
      return;
    }
    sendBody(response, file, start + outcome.offset, outcome.length, (error) => {
      file.close();
      this.bodyIsOver(error ?? null);
    });
  }

  private bodyIsOver(error: Error | null): void {
    if (error === null) {
      if (!this.over) this.response.end();
      return;
    }
    // What the head has promised will not come: the client is to see that.
    this.settle(error);
    // The server is told of a failed write as it is of any.
    this.response.destroy(error.cause instanceof Error ? error.cause : error);
  }

  private readonly onFinish = (): void => {
    this.settle(null);
  };

  readonly onClose = (): void => {
    if (this.over) return;
    // Finished by somebody else, before its file was open.
    this.settle(this.response.writableFinished ? headersSentError() : prematureCloseError());
  };

  private readonly settle = (error: Error | null): void => {
    if (this.over) return;
    this.over = true;
    const { response, callback } = this;
    if (!response.writableFinished) {
      // It may live on, with another answer.
      response.removeListener('finish', this.onFinish);
      response.removeListener('close', this.onClose);
      response.removeListener('socket', this.onTurn);
    }
    callback(error);
  };
}

function checkResponse(response: unknown): asserts response is Response {
  if (typeof (response as Response | null)?.writeHead !== 'function') {
    throw argTypeError('response', 'an instance of http.ServerResponse', response);
  }
}

function checkOptions(options: SendFileOptions): void {
  // Plain JavaScript may pass anything.
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) throw argTypeError('options', 'of type object', given);
  const { headers, start, end, conditional } = options as Record<keyof SendFileOptions, unknown>;
  if (headers !== undefined && (typeof headers !== 'object' || headers === null)) {
    throw argTypeError('options.headers', 'of type object', headers);
  }
  if (conditional !== undefined && typeof conditional !== 'boolean') {
    throw argTypeError('options.conditional', 'of type boolean', conditional);
  }
  checkWhole(start, 'options.start', 0, Number.MAX_SAFE_INTEGER);
  if (end !== Infinity) checkWhole(end, 'options.end', 0, Number.MAX_SAFE_INTEGER);
  if (start !== undefined && end !== undefined && start > end) {
    throw outOfRangeError('options.start', `<= "options.end" (here: ${String(end)})`, start);
  }
}

function begin(response: unknown, file: unknown, options: SendFileOptions, callback: SendFileCallback): void {
  checkResponse(response);
  checkFile(file);
  checkOptions(options);
  new FileAnswer(response, file, options, callback).start();
}

/**
 * Answers a request with a file, or a slice of it, as the whole of the response's body; sets what its head says of the
 * file (Content-Length, Accept-Ranges, ETag, Last-Modified), answers Range, If-None-Match and their kin, and ends the
 * response. Sets no Content-Type: that is the caller's to know.
 *
 * Calls back, or fulfils its promise, when the response has finished. Fails with what node:fs says of a file that can't
 * be read (ENOENT, EACCES, EISDIR), with ESPIPE for what is no regular file, and with ERR_HTTP_HEADERS_SENT; nothing
 * has been sent then, and the application answers. Later failures end the connection: ERR_STREAM_PREMATURE_CLOSE if the
 * client is gone, ERR_NEARWIRE_FILE_TRUNCATED if the file ended too early.
 */
export function sendFile(response: http.ServerResponse, file: FileSource, options?: SendFileOptions): Promise<void>;
export function sendFile(response: http.ServerResponse, file: FileSource, callback: SendFileCallback): void;
export function sendFile(
  response: http.ServerResponse,
  file: FileSource,
  options: SendFileOptions | undefined,
  callback: SendFileCallback,
): void;
export function sendFile(
  response: http.ServerResponse,
  file: FileSource,
  options?: SendFileOptions | SendFileCallback,
  callback?: SendFileCallback,
): Promise<void> | undefined {
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  const given = options ?? {};
  if (callback === undefined) {
    return new Promise((resolve, reject) => {
      begin(response, file, given, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }
  checkFunction(callback, 'callback');
  // Not AsyncResource.bind(), which costs as much as opening the file does.
  const scope = new AsyncResource('NEARWIRESENDFILE', MANUAL_DESTROY);
  begin(response, file, given, (error) => {
    scope.emitDestroy();
    scope.runInAsyncScope(callback, undefined, error);
  });
  return undefined;
}
