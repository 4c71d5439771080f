/**
 * A connection that carries one request: reads it using its protocol, lets the server's listeners respond, and closes.
 *
 *   receiving --(headers)--> serving --(response sent)--> over --(request complete, or abandoned)--> closed
 *       \--(invalid request)----------------------------/ \--destroy(), from anywhere---------------/
 *
 * `over`: the rest of the request is read and discarded, as closing with unread bytes would reset the connection before
 * the peer has the response.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { loopTime } from '../engine/thread-engine.js';
import { requestTimeoutError } from '../errors/index.js';
import { nodeHttp } from '../runtime/http.js';
import type { Carrier } from './carrier.js';
import type { ReadError, RequestHead, RequestReader, RequestSink } from './codec.js';
import { Connection } from './connection.js';
import type { HostedConnection, Incoming, OneRequestServer } from './contracts.js';
import { dispatch } from './dispatch.js';
import type { Pending } from './ending.js';
import { Exchange } from './exchange.js';
import { isLate } from './is-late.js';
import { isUnheard, makeRequest, noteEnd, pushEnd, setVersion, wantsBody } from './request.js';
import { endsShort, makeResponse } from './response.js';
import { storeClosingHeader } from './closing-head.js';
import { ExchangeSocket } from './socket.js';
import { endsMayBeShort } from './study.js';
import { tellEach } from './tell-each.js';
import { tellStarted } from './telling.js';

/** How long the rest of an answered request is read and discarded: nginx's `lingering_timeout`. */
const LINGER_MILLIS = 5000;

const REQUEST_TIMEOUT = 408;

const INFORMATION = /^HTTP\/1\.1 1\d\d /;

type Phase = 'receiving' | 'serving' | 'over';

export class OneRequestConnection extends Connection<OneRequestServer> implements HostedConnection, RequestSink {
  readonly socket: ExchangeSocket;
  private readonly startedAt = loopTime();
  /** The request's headers, once they have arrived. */
  head: RequestHead | undefined;
  private phase: Phase = 'receiving';
  private readonly reader: RequestReader;
  private exchange: Exchange | undefined;
  /** Exceptions of listeners, collected while the reader runs. */
  private thrown: unknown[] | undefined;
  private linger: NodeJS.Timeout | undefined;

  constructor(server: OneRequestServer, carrier: Carrier) {
    super(server, carrier);
    this.reader = server.codec.createReader(carrier.engine);
    this.socket = new ExchangeSocket(this);
  }

  // --- receiving ---

  override onBytes(data: Buffer, start: number, end: number): void {
    if (this.closed) return;
    this.socket._touch();
    this.scope.runInAsyncScope(readBytes, undefined, this, data, start, end);
  }

  readBytes(data: Buffer, start: number, end: number): void {
    if (this.failure !== undefined) return;
    const error = this.reader.read(this, data, start, end);
    if (error !== undefined || this.thrown !== undefined) this.settleRead(error);
  }

  /**
   * The reader has continued despite exceptions of listeners, so that it keeps its position in the body; now they are
   * thrown.
   */
  private settleRead(error: ReadError | undefined): void {
    const { thrown = [] } = this;
    this.thrown = undefined;
    const calls = thrown.map((value) => (): void => {
      throw value;
    });
    if (error !== undefined) {
      calls.push(() => {
        this.refuse(error);
      });
    }
    tellEach(calls);
  }

  onHead(head: RequestHead): void {
    try {
      this.serve(head);
    } catch (error) {
      (this.thrown ??= []).push(error);
    }
  }

  private serve(head: RequestHead): void {
    const { server, socket } = this;
    this.head = head;
    this.phase = 'serving';
    const { request: Request, response: Response } = server.classes.current;
    const request = makeRequest(server, Request, socket, head);
    const response = makeResponse(Response, request, server.responseOptions, storeClosingHeader, endsMayBeShort());
    setVersion(request, head);
    server.codec.decorate(request, head);
    this.exchange = this.current = new Exchange(request, response);
    socket._httpMessage = response;
    response.socket = socket;
    if (!endsShort(response)) this.awaitFinishOf(this.current);
    tellStarted(request, response, socket, server.emitter);
    dispatch(server, head, request, response);
  }

  private get request(): Incoming | undefined {
    return this.exchange?.request;
  }

  get wantsBody(): boolean {
    return this.request !== undefined && !this.closed && wantsBody(this.request);
  }

  onBody(chunk: Buffer): void {
    const { request } = this;
    if (request === undefined || !this.wantsBody) return;
    try {
      // What listeners have entered before is not its context. (Before Node 24 it is, as on node.)
      if (!this.scope.runInAsyncScope(push, undefined, request, chunk)) this.pause();
    } catch (error) {
      (this.thrown ??= []).push(error);
    }
  }

  onComplete(): void {
    const { request } = this;
    if (request === undefined) return;
    request.complete = true;
    if (this.phase === 'over' && !this.closed) {
      request.push(null);
      this.closeWhenFlushed();
      return;
    }
    if (isUnheard(request)) noteEnd(request);
    else this.scope.runInAsyncScope(pushEnd, undefined, request);
    // Reading goes on so that a disconnect of the peer is noticed.
    this.resume();
  }

  override onPeerEnd(): void {
    if (this.closed) return;
    this.peerEnded = true;
    this.socket.readable = false;
    const error = this.phase === 'receiving' && this.failure === undefined ? this.reader.end() : undefined;
    if (error !== undefined) {
      this.scope.runInAsyncScope(refuse, undefined, this, error);
      return;
    }
    // As in node, a half-closed peer gets a response that has been written completely, and no other.
    const response = this.exchange?.response;
    if (this.phase === 'over') this.closeWhenFlushed();
    else if (response === undefined) this.close();
    else if (!response.finished && !this.server.httpAllowHalfOpen) this.close();
  }

  // --- responding ---

  /** Node's own code writes 1xx responses through this. */
  protected override isUnwanted(data: string | Uint8Array, encoding: BufferEncoding): boolean {
    if (encoding !== 'ascii' || this.server.codec.sendsInformation) return false;
    return this.exchange?.response._headerSent === false && typeof data === 'string' && INFORMATION.test(data);
  }

  protected override afterResponse(): void {
    // A callback of `end()` may have closed the connection.
    if (!this.closed) this.phase = 'over';
    this.finishWriting();
  }

  override finishWriting(): void {
    if (this.ended || this.closed) return;
    this.ended = true;
    this.socket.writable = false;
    this.phase = 'over';
    if (this.request?.complete === true || this.peerEnded) {
      this.closeWhenFlushed();
      return;
    }
    this.carrier.end();
    this.linger = setTimeout(close, LINGER_MILLIS, this).unref();
    if (this.request?._dumped !== false) this.resume();
  }

  // --- ending ---

  /** The request is invalid, or did not arrive in time. */
  refuse(error: ReadError): void {
    const { server, socket } = this;
    this.failure = error;
    if (server.emitter.emit('clientError', error, socket) || this.ended) return;
    if (this.exchange?.response._headerSent === true) {
      this.close();
      return;
    }
    const { status } = error;
    const reason = nodeHttp.STATUS_CODES[status] ?? '';
    this.write(`HTTP/1.1 ${String(status)} ${reason}\r\nContent-Length: 0\r\n\r\n`, 'latin1', undefined);
    this.finishWriting();
  }

  /** Whether it is neither waiting for a request nor answering one. */
  get isIdle(): boolean {
    return this.phase === 'over' && this.isFlushed;
  }

  /** Refuses a request that has not arrived in time. Times are in milliseconds; 0 means no limit. */
  checkTime(now: number, headersTimeout: number, requestTimeout: number): void {
    if (this.failure !== undefined || this.phase === 'over' || this.request?.complete === true) return;
    if (!isLate(now - this.startedAt, this.phase !== 'receiving', headersTimeout, requestTimeout)) return;
    const error = Object.assign(requestTimeoutError(), { status: REQUEST_TIMEOUT }) as ReadError;
    this.scope.runInAsyncScope(refuse, undefined, this, error);
  }

  protected override get idleMessages(): ReturnType<() => Connection['idleMessages']> {
    return { request: this.exchange?.request, response: this.exchange?.response };
  }

  protected override get isAnswered(): boolean {
    return this.socket._httpMessage === null && this.request?.complete === true;
  }

  protected override pending(): Pending {
    const { exchange, socket } = this;
    if (exchange === undefined) return { requests: [], responses: [] };
    const { request, response } = exchange;
    const isPending = socket._httpMessage !== null || !request.complete;
    return {
      requests: isPending ? [request] : [],
      responses: socket._httpMessage === response ? [response] : [],
    };
  }

  protected override release(): void {
    const { linger, server, carrier } = this;
    if (linger !== undefined) clearTimeout(linger);
    if (carrier.transport === 'native') server.release(this);
    else server.forget(this);
  }
}

function readBytes(connection: OneRequestConnection, data: Buffer, start: number, end: number): void {
  connection.readBytes(data, start, end);
}

function push(request: Incoming, chunk: Buffer): boolean {
  return request.push(chunk);
}

function refuse(connection: OneRequestConnection, error: ReadError): void {
  connection.refuse(error);
}

function close(connection: OneRequestConnection): void {
  connection.close();
}
