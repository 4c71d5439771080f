/**
 * Files as answers of node:http: `sendFile(response, file)`.
 *
 * The head is made and sent by node. The body goes by reference, past node's OutgoingMessage and in its turn, where the
 * response owns a socket of the native transport and nobody is to see the bytes; else it is read and written. Either way
 * the response ends as if node had written the body.
 *
 * States: waiting for its turn -> opening the file -> sending -> over. 'close' of the response leads from each to over.
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

/** Options of `sendFile()` of responses. */
export interface HttpSendFileOptions extends SendFileOptions {
  /**
   * Headers of the answer, beside those that the response has already. A value of null leaves that header out: without
   * `ETag` or `Last-Modified` requests are not compared with it, without `Accept-Ranges` they get the whole.
   */
  headers?: FileHeaders | undefined;
  /**
   * false: the head is the caller's, as a framework has made it. Its status and headers are sent as they are, with the
   * Content-Length of what is served; nothing is added, and of the request nothing but HEAD is heeded. Default: true.
   */
  conditional?: boolean | undefined;
  /**
   * Ends it early, with an AbortError. Until the head has been sent, the response is still to be answered; later its
   * connection is destroyed, since the rest of the body can't be left out.
   */
  signal?: AbortSignal | undefined;
}

const { ESPIPE } = constants.errno;

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
  private readonly call: SendFileCall;
  private readonly options: HttpSendFileOptions;
  private readonly done: FileDone;
  private releaseSignal: (() => void) | undefined;
  /** The head has been made, and is on its way. */
  private begun = false;
  private over = false;
  /** Bytes of the body. */
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
      // A header that is none, or a listener of the application's.
      opened.close();
      this.settle(thrown as Error);
    }
  };

  private answer(file: OpenFile): void {
    const { response, options, call } = this;
    const { headers, conditional = true } = options;
    const { size: fileSize } = file;
    // A block device has no size, which its validators are made of.
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

  private readonly onAbort = (error: Error): void => {
    const { response, begun } = this;
    queues.get(response.req.socket)?.delete(this);
    this.settle(error);
    // That the program does not go on is no failure of the client's: the server is not told of one.
    if (begun) response.destroy();
  };

  private settle(error: Error | null): void {
    if (this.over) return;
    this.over = true;
    const { response } = this;
    this.releaseSignal?.();
    if (!response.writableFinished) {
      // It may live on, with another answer.
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
 * Answers a request with a file, or a slice of it, as the whole of the response's body; sets what its head says of the
 * file (Content-Length, Accept-Ranges, ETag, Last-Modified), answers Range, If-None-Match and their kin, and ends the
 * response. Sets no Content-Type: that is the caller's to know. An open file is read by position, and is to stay open
 * until the promise has settled.
 *
 * Resolves with the number of bytes of the body when the response has finished. Rejects for wrong arguments, with what
 * node:fs says of a file that can't be read (ENOENT, EACCES, EISDIR), with ESPIPE for what is no regular file, and with
 * ERR_HTTP_HEADERS_SENT; nothing has been sent then, and the application answers. Later failures end the connection:
 * ERR_STREAM_PREMATURE_CLOSE if the client is gone, ERR_NEARWIRE_FILE_TRUNCATED if the file ended too early.
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
