/**
 * Files as responses of node:http: `sendFile(response, file)`.
 *
 * node creates and sends the headers. The body is sent by reference, bypassing node's OutgoingMessage but in order, if
 * the response owns a socket of the native transport and no other code must see the bytes; otherwise it is read and
 * written. In both cases the response ends as if node had written the body.
 *
 * States: waiting for the connection -> opening the file -> sending -> over. 'close' of the response leads from each to
 * over.
 */
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { argTypeError, fileError, headersSentError, prematureCloseError } from '../errors/index.js';
import { checkBoolean } from '../config/options.js';
import { whenAborted } from '../config/signal.js';
import { openByEngine, openByNode, type Opened, type OpenFile } from '../files/open.js';
import {
  beginSendFile,
  lengthWithin,
  type FileDone,
  type FileSource,
  type SendFileCall,
  type SendFileOptions,
} from '../files/options.js';
import { NativeSocket } from '../net/socket.js';
import { sendBody } from './body-path.js';
import { keepHead, makeHead, type FileHeaders } from './file-head.js';

/** Options of `sendFile()` for responses. */
export interface HttpSendFileOptions extends SendFileOptions {
  /**
   * Headers of the response, in addition to those already set. A value of null leaves that header out: without `ETag`
   * or `Last-Modified`, requests are not compared with it; without `Accept-Ranges`, they get the whole file.
   */
  headers?: FileHeaders | undefined;
  /**
   * false: the caller, or a framework, has set the headers. Its status and headers are sent unchanged, with the
   * Content-Length of what is served; nothing is added, and the request's method is honored only if it is HEAD.
   * Default: true.
   */
  conditional?: boolean | undefined;
  /**
   * Ends it early, with an AbortError. Until the headers have been sent, the request must still be answered; after that
   * the connection is destroyed, since the rest of the body cannot be left out.
   */
  signal?: AbortSignal | undefined;
}

const { ESPIPE } = constants.errno;

/** The part of OutgoingMessage that its types lack. */
interface Response extends http.ServerResponse {
  /** Absent in HTTP/2. */
  readonly _hasBody?: boolean;
}

/** Responses that wait for the connection, by connection: one listener serves all that a client has pipelined. */
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
  private readonly call: SendFileCall;
  private readonly options: HttpSendFileOptions;
  private readonly done: FileDone;
  private releaseSignal: (() => void) | undefined;
  /** The headers have been created, and are being sent. */
  private begun = false;
  private over = false;
  /** The length of the body in bytes. */
  private length = 0;

  constructor(response: Response, call: SendFileCall, options: HttpSendFileOptions, done: FileDone) {
    this.response = response;
    this.call = call;
    this.options = options;
    this.done = done;
  }

  start(): void {
    const { response } = this;
    if (response.headersSent || response.writableEnded) throw headersSentError();
    if (response.destroyed || response.req.socket.destroyed) throw prematureCloseError();
    this.releaseSignal = whenAborted(this.call.signal, this.onAbort);
    response.on('close', this.onClose);
    if (response.socket !== null) {
      this.open();
      return;
    }
    // An earlier response has the connection. No file is kept open for a turn that may never come.
    response.once('socket', this.onTurn);
    queueOf(response.req.socket).add(this);
  }

  private readonly onTurn = (): void => {
    queues.get(this.response.req.socket)?.delete(this);
    this.open();
  };

  private open(): void {
    const { socket } = this.response;
    const { file } = this.call;
    const opened =
      socket instanceof NativeSocket
        ? openByEngine(socket._settings.engine, file, this.onOpened)
        : openByNode(file, true, this.onOpened);
    if (opened !== undefined) process.nextTick(this.onOpened, opened);
  }

  private readonly onOpened = (opened: Opened): void => {
    if (opened instanceof Error) {
      this.settle(opened);
      return;
    }
    try {
      if (this.over || this.response.headersSent) throw headersSentError();
      this.answer(opened);
    } catch (thrown) {
      // An invalid header, or a listener of the application threw.
      opened.close();
      this.settle(thrown as Error);
    }
  };

  private answer(file: OpenFile): void {
    const { response, options, call } = this;
    const { headers, conditional = true } = options;
    const { size: fileSize } = file;
    // A block device has no size, from which validators are made.
    if (fileSize === undefined) throw fileError(-ESPIPE, 'open', call.file);
    const size = lengthWithin(call, fileSize);
    const served = { fileSize, modified: file.modified, start: call.start, size };
    const outcome = conditional ? makeHead(response, headers, served) : keepHead(response, headers, size);
    this.begun = true;
    response.on('finish', this.onFinish);
    response.writeHead(response.statusCode);
    if (outcome.length === 0 || response._hasBody === false || response.req.method === 'HEAD') {
      file.close();
      response.end();
      return;
    }
    this.length = outcome.length;
    sendBody(response, file, call.start + outcome.offset, outcome.length, (error) => {
      file.close();
      this.bodyIsOver(error ?? null);
    });
  }

  private bodyIsOver(error: Error | null): void {
    if (error === null) {
      if (!this.over) this.response.end();
      return;
    }
    // The body announced in the headers will not come: the client must notice.
    this.settle(error);
    // The server gets the error, as for any failed write.
    this.response.destroy(error.cause instanceof Error ? error.cause : error);
  }

  private readonly onFinish = (): void => {
    this.settle(null);
  };

  readonly onClose = (): void => {
    if (this.over) return;
    // Other code has ended the response before the file was open.
    this.settle(this.response.writableFinished ? headersSentError() : prematureCloseError());
  };

  private readonly onAbort = (error: Error): void => {
    const { response, begun } = this;
    queues.get(response.req.socket)?.delete(this);
    this.settle(error);
    // The program has aborted, which is not the client's failure: the server gets no error.
    if (begun) response.destroy();
  };

  private settle(error: Error | null): void {
    if (this.over) return;
    this.over = true;
    const { response } = this;
    this.releaseSignal?.();
    if (!response.writableFinished) {
      // The response may continue, with other contents.
      response.removeListener('finish', this.onFinish);
      response.removeListener('close', this.onClose);
      response.removeListener('socket', this.onTurn);
    }
    this.done(error, this.length);
  }
}

function checkResponse(response: unknown): asserts response is Response {
  if (typeof (response as Response | null)?.writeHead !== 'function') {
    throw argTypeError('response', 'an instance of http.ServerResponse', response);
  }
}

function checkHead({ headers, conditional }: HttpSendFileOptions): void {
  // Plain JavaScript may pass anything.
  const given: unknown = headers;
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    throw argTypeError('options.headers', 'of type object', given);
  }
  if (conditional !== undefined) checkBoolean(conditional, 'options.conditional');
}

/**
 * Sends a file, or a slice of it, as the complete body of a response. Sets the headers that describe the file
 * (Content-Length, Accept-Ranges, ETag, Last-Modified), evaluates Range, If-None-Match and related request headers, and
 * ends the response. Does not set Content-Type, which only the caller knows. An open file is read by position, and must
 * stay open until the promise has settled.
 *
 * Resolves with the number of bytes of the body when the response has finished. Rejects for invalid arguments, with
 * node:fs's error for a file that cannot be read (ENOENT, EACCES, EISDIR), with ESPIPE for anything but a regular file,
 * and with ERR_HTTP_HEADERS_SENT; nothing has been sent then, and the application must respond. Later failures close
 * the connection: ERR_STREAM_PREMATURE_CLOSE if the client is gone, ERR_NEARWIRE_FILE_TRUNCATED if the file ended too
 * early.
 */
export function sendFile(
  response: http.ServerResponse,
  file: FileSource,
  options: HttpSendFileOptions = {},
): Promise<number> {
  return beginSendFile(file, options, (call, done) => {
    checkResponse(response);
    checkHead(options);
    new FileAnswer(response, call, options, done).start();
  });
}
