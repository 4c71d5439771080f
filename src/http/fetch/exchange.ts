/**
 * One request and its response, carried by node's own messages (node-exchange.ts), or a connection of the
 * engine (engine-exchange.ts).
 *
 *   handler runs --> response known --(its turn)--> being sent --> over
 *        \------------- the client goes away ------------------> gone
 */
// The global one is looked up at each use.
import { Buffer } from 'node:buffer';
import { nodeHttp } from '../../runtime/http.js';
import type { FetchApp, FetchInfo, RequestOrigin } from './contracts.js';
import { innerSignal } from './eager-request.js';
import { genuine } from './genuine.js';
import type { RequestBody } from './request-body.js';
import { partsOf, type ResponseParts } from './response-parts.js';
import { ResponseStream, type StreamTarget } from './response-stream.js';

/** How the client sees the end of the body. */
export type Framing =
  /** After this many bytes. */
  | number
  | 'chunked'
  /** With the connection, as of HTTP/1.0. */
  | 'until-close'
  /** There is no body, and nothing to say about one. */
  | 'none';

const SERVER_ERROR = 500;
const BAD_REQUEST = 400;

export abstract class FetchExchange implements RequestOrigin, StreamTarget {
  abstract readonly method: string;
  abstract readonly url: string;
  abstract readonly rawHeaders: readonly string[];
  abstract readonly body: RequestBody | undefined;
  /** Whether the client understands chunks. */
  protected abstract readonly takesChunks: boolean;
  /** The response has been sent, or the client is gone. */
  isOver = false;
  isGone = false;
  protected stream: ResponseStream | undefined;
  private readonly app: FetchApp;
  private request: Request | undefined;
  private loss: Error | undefined;
  private controller: AbortController | undefined;
  private copiesController: AbortController | undefined;
  /** The error handler has been asked. */
  private hasFailed = false;

  constructor(app: FetchApp) {
    this.app = app;
  }

  // --- what carries it ---

  /** The whole response. `body` is undefined where the client gets none. */
  protected abstract sendWhole(parts: ResponseParts, framing: Framing, body: string | Uint8Array | undefined): void;

  protected abstract sendHead(parts: ResponseParts, framing: Framing): void;

  /** Returns whether there is room for more; if not, `stream.go()` is to be called when there is. */
  abstract write(chunk: Uint8Array): boolean;

  protected abstract sendEnd(): void;

  /** Closes the connection, so that the client sees that something is missing. */
  protected abstract cut(): void;

  /** Calls when the responses to earlier requests are over. */
  protected abstract inTurn(call: () => void): void;

  // --- the request ---

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.isGone) this.controller.abort();
    return this.controller.signal;
  }

  get copiesSignal(): AbortSignal {
    const { signal } = this;
    const controller = (this.copiesController ??= new AbortController());
    if (signal.aborted) controller.abort(signal.reason);
    return controller.signal;
  }

  run(info: FetchInfo): void {
    const { app } = this;
    let answer: unknown;
    try {
      this.request = app.makeRequest(this);
    } catch {
      this.refuse();
      return;
    }
    try {
      // Without a receiver.
      const { handle } = app;
      answer = handle(this.request, info);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.await(answer);
  }

  /** Its target, or its Host, is none. */
  refuse(): void {
    this.respond(plain(BAD_REQUEST, true));
  }

  private await(answer: unknown): void {
    if (!isThenable(answer)) {
      this.answer(answer);
      return;
    }
    answer.then(
      (response) => {
        this.answer(response);
      },
      (error: unknown) => {
        this.fail(error);
      },
    );
  }

  // --- the response ---

  private answer(response: unknown): void {
    let parts: ResponseParts;
    try {
      parts = partsOf(response);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.respond(parts);
  }

  /** The handler has failed, or its response has, before anything of it was sent. */
  fail(error: unknown): void {
    if (this.isOfLoss(error)) return;
    const { onError } = this.app;
    if (this.hasFailed || onError === undefined) {
      this.report(error);
      this.respond(plain(SERVER_ERROR, false));
      return;
    }
    this.hasFailed = true;
    let answer: unknown;
    try {
      answer = onError(error);
    } catch (second) {
      this.fail(second);
      return;
    }
    this.await(answer);
  }

  /** It has been told that the client is gone, and says so. */
  private isOfLoss(error: unknown): boolean {
    if (!this.isGone) return false;
    return error === this.loss || (error instanceof Error && error.name === 'AbortError');
  }

  private report(error: unknown): void {
    console.error(error);
  }

  private respond(parts: ResponseParts): void {
    const { body } = parts;
    if (this.isOver || this.isGone) {
      if (isStream(body)) cancel(body);
      return;
    }
    this.inTurn(() => {
      this.send(parts);
    });
  }

  private send(parts: ResponseParts): void {
    const { body, status } = parts;
    if (isStream(body)) {
      if (status === 204 || status === 304) cancel(body);
      else {
        this.stream = new ResponseStream(this, body, parts);
        this.stream.begin();
        return;
      }
    }
    this.sendKnown(parts, isStream(body) || body === null ? '' : body);
  }

  get isHead(): boolean {
    return this.method === 'HEAD';
  }

  /** A body of which all is known. */
  sendKnown(parts: ResponseParts, body: string | Uint8Array): void {
    const { status } = parts;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    if (status === 204 || status === 304) this.sendWhole(parts, 'none', undefined);
    else if (this.isHead) this.sendWhole(parts, length === 0 ? (parts.length ?? 0) : length, undefined);
    else this.sendWhole(parts, length, body);
    this.finish();
  }

  /** Of a stream that goes on. Returns false if the client wants no body. */
  beginStream(parts: ResponseParts): boolean {
    const { length } = parts;
    if (this.isHead) {
      this.sendWhole(parts, length ?? 'none', undefined);
      this.finish();
      return false;
    }
    this.sendHead(parts, length ?? (this.takesChunks ? 'chunked' : 'until-close'));
    return true;
  }

  endStream(): void {
    this.sendEnd();
    this.finish();
  }

  /** What has been sent of the response cannot be completed. */
  breakStream(error: unknown): void {
    if (this.isGone || this.isOver) return;
    this.report(error);
    this.isOver = true;
    this.leave();
    this.cut();
  }

  protected finish(): void {
    this.isOver = true;
    this.leave();
  }

  private leave(): void {
    this.stream = undefined;
    this.request = undefined;
    this.body?.discard();
  }

  /** The client went away before the response was over. Returns false if it was. */
  loseClient(error: Error): boolean {
    if (this.isOver || this.isGone) return false;
    this.isGone = true;
    this.loss = error;
    return true;
  }

  /** Has the handler know of it. */
  tellLoss(): void {
    const { request, stream, loss: error } = this;
    if (error === undefined) return;
    this.body?.fail(error);
    stream?.cancel(error);
    this.controller?.abort();
    this.copiesController?.abort(this.controller?.signal.reason);
    const inner = request === undefined ? undefined : innerSignal(request);
    inner?.dispatchEvent(new Event('abort'));
    this.leave();
  }
}

export function reasonOf({ status, statusText }: ResponseParts): string {
  return statusText === '' ? (nodeHttp.STATUS_CODES[status] ?? 'unknown') : statusText;
}

function plain(status: number, closes: boolean): ResponseParts {
  const response = new (genuine().Response)(null, { status, headers: { 'content-type': 'text/plain;charset=UTF-8' } });
  return { ...partsOf(response), closes, body: nodeHttp.STATUS_CODES[status] ?? '' };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function isStream(body: ResponseParts['body']): body is ReadableStream<Uint8Array> {
  return typeof body === 'object' && body !== null && !(body instanceof Uint8Array);
}

/** Its source may fail to stop, which changes nothing here. */
function cancel(stream: ReadableStream): void {
  stream.cancel().catch(() => undefined);
}
