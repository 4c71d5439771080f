/**
 * One connection of a server: reads a request using its protocol, lets the server's listeners respond, and closes.
 *
 *   receiving --(headers)--> serving --(response sent)--> over --(request complete, or abandoned)--> closed
 *       \--(invalid request)----------------------------/ \--destroy(), from anywhere---------------/
 *
 * `over`: the rest of the request is read and discarded, as closing with unread bytes would reset the connection before
 * the peer has the response.
 */
import type { AsyncResource } from 'node:async_hooks';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { requestTimeoutError, writeDestroyedError } from '../errors/index.js';
import { nodeHttp } from '../runtime/http.js';
import type { WriteCallback } from '../node/stream-state.js';
import { closes, type CloseEvent } from '../stats/events.js';
import type { Carrier, CarrierOwner } from './carrier.js';
import type { ReadError, RequestHead, RequestReader, RequestSink } from './codec.js';
import { captureScope } from './context.js';
import { dispatch } from './dispatch.js';
import { closeResponse, leaveRequest, tellEnded, tellFailed, tellIdle, type Ended } from './ending.js';
import type { ConnectionContract, Incoming, Outgoing, ServerContract } from './contracts.js';
import { detachSignal, NO_CALLBACKS, settleEnd, type EndCallback } from '../node/http-messages.js';
import { isUnheard, makeRequest, noteEnd, setVersion, wantsBody } from './request.js';
import { endsShort, makeResponse } from './response.js';
import { ExchangeSocket } from './socket.js';
import { endsMayBeShort } from './study.js';
import { tellEach } from './tell-each.js';
import { tellFinished, tellStarted } from './telling.js';
import { tellFlushed, tellingAll } from './writers.js';

/** How long the rest of an answered request is read and discarded: nginx's `lingering_timeout`. */
const LINGER_MILLIS = 5000;

const REQUEST_TIMEOUT = 408;

const INFORMATION = /^HTTP\/1\.1 1\d\d /;

/** The server of a connection, which drops it when it is closed. */
export interface ReleasingServer extends ServerContract {
  release(connection: Connection): void;
}

type Phase = 'receiving' | 'serving' | 'over' | 'closed';

export class Connection implements CarrierOwner, ConnectionContract, RequestSink {
  readonly server: ReleasingServer;
  readonly carrier: Carrier;
  readonly socket: ExchangeSocket;
  readonly startedAt: number;
  /** Its index in the server's list. */
  place = -1;
  head: RequestHead | undefined;
  ended = false;
  private phase: Phase = 'receiving';
  private readonly reader: RequestReader;
  /**
   * Context that the listeners of one connection enter (`AsyncLocalStorage.enterWith`) is not visible to those of
   * another.
   */
  private readonly scope = captureScope();
  /** As in node: the outcome of writes is reported in the context of the last of them. */
  private writeScope: AsyncResource | undefined;
  private request: Incoming | undefined;
  private response: Outgoing | undefined;
  /** Callbacks of writes since the last flush. */
  private callbacks: WriteCallback[] | undefined;
  /** Bytes written since the last flush, except a response written whole. */
  private unflushed = 0;
  owesDrain = false;
  private paused = false;
  private peerEnded = false;
  /** Close as soon as the kernel has taken all writes. */
  private closing = false;
  /** The response has been written whole and awaits its flush. */
  private whole = false;
  private awaitsFinish = false;
  private failure: Error | undefined;
  /** Exceptions of listeners, collected while the reader runs. */
  private thrown: unknown[] | undefined;
  private linger: NodeJS.Timeout | undefined;

  constructor(server: ReleasingServer, carrier: Carrier, startedAt: number) {
    this.server = server;
    this.carrier = carrier;
    this.startedAt = startedAt;
    this.reader = server.codec.createReader();
    this.socket = new ExchangeSocket(this);
    carrier.owner = this;
  }

  // --- receiving ---

  onBytes(data: Buffer, start: number, end: number): void {
    if (this.phase === 'closed') return;
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
    const request = makeRequest(server, socket, head);
    const response = makeResponse(server.responseClass, request, server.responseOptions, endsMayBeShort());
    setVersion(request, head);
    server.codec.decorate(request, head);
    this.request = request;
    this.response = response;
    socket._httpMessage = response;
    response.socket = socket;
    if (!endsShort(response)) this.awaitFinish(response);
    tellStarted(request, response, socket, server);
    dispatch(server, head, request, response);
  }

  get wantsBody(): boolean {
    return this.request !== undefined && this.phase !== 'closed' && wantsBody(this.request);
  }

  onBody(chunk: Buffer): void {
    const { request } = this;
    if (request === undefined || !this.wantsBody) return;
    try {
      if (!request.push(chunk)) this.pause();
    } catch (error) {
      (this.thrown ??= []).push(error);
    }
  }

  onComplete(): void {
    const { request } = this;
    if (request === undefined) return;
    request.complete = true;
    if (this.phase === 'over') {
      request.push(null);
      this.closeWhenFlushed();
      return;
    }
    if (isUnheard(request)) noteEnd(request);
    else request.push(null);
    // Reading goes on so that a disconnect of the peer is noticed.
    if (this.paused) this.resumeCarrier();
  }

  pause(): void {
    if (this.paused || this.phase === 'closed') return;
    this.paused = true;
    this.carrier.pause();
  }

  /** The program reads the request. */
  resume(): void {
    if (this.paused) this.resumeCarrier();
  }

  private resumeCarrier(): void {
    this.paused = false;
    if (this.phase !== 'closed') this.carrier.resume();
  }

  onPeerEnd(): void {
    if (this.phase === 'closed') return;
    this.peerEnded = true;
    this.socket.readable = false;
    const error = this.phase === 'receiving' && this.failure === undefined ? this.reader.end() : undefined;
    if (error !== undefined) {
      this.scope.runInAsyncScope(refuse, undefined, this, error);
      return;
    }
    const { phase, response } = this;
    // As in node, a half-closed peer gets a response that has been written completely, and no other.
    if (phase === 'over') this.closeWhenFlushed();
    else if (phase !== 'serving' || response === undefined) this.close();
    else if (!response.finished && !this.server.httpAllowHalfOpen) this.close();
  }

  onFailure(error: Error | undefined): void {
    this.destroy(error);
  }

  // --- sending ---

  write(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean {
    const { carrier, response } = this;
    this.socket._touch();
    this.writeScope = captureScope();
    if (callback !== undefined) (this.callbacks ??= []).push(callback);
    carrier.notifyFlushed();
    if (encoding === 'ascii' && response?._headerSent === false && this.isUnwanted(data)) return true;
    if (data.length > 0) {
      this.unflushed += typeof data === 'string' ? Buffer.byteLength(data, encoding) : data.length;
      carrier.write(data, encoding);
    }
    if (this.waitingBytes < this.server.highWaterMark) return true;
    this.owesDrain = true;
    return false;
  }

  /** Node's own code writes 1xx responses through this. */
  private isUnwanted(data: string | Uint8Array): boolean {
    return !this.server.codec.sendsInformation && typeof data === 'string' && INFORMATION.test(data);
  }

  writeWhole(head: string, body: string | Uint8Array): void {
    const { carrier } = this;
    this.socket._touch();
    this.whole = true;
    this.writeScope = captureScope();
    // As in node: a string body goes out with the headers in the body's encoding; headers without a body are latin1.
    if (typeof body === 'string') {
      carrier.write(head + body, body === '' ? 'latin1' : 'utf8');
    } else {
      carrier.write(head, 'latin1');
      carrier.write(body, 'latin1');
    }
    carrier.notifyFlushed();
    carrier.uncorked();
  }

  get waitingBytes(): number {
    const { carrier } = this;
    if (this.phase === 'closed' || !carrier.blocked) return this.unflushed;
    carrier.flush();
    return carrier.queued;
  }

  onFlushed(): void {
    const scope = this.writeScope ?? this.scope;
    this.writeScope = undefined;
    scope.runInAsyncScope(flushed, undefined, this);
  }

  flushed(): void {
    // The values of now: callbacks may write again.
    const { callbacks, owesDrain, whole, closing } = this;
    this.unflushed = 0;
    this.whole = false;
    if (callbacks === undefined && !owesDrain) {
      this.settleFlush(whole, closing);
      return;
    }
    this.callbacks = undefined;
    this.owesDrain = false;
    tellFlushed(this.socket, this.response, callbacks ?? [], owesDrain, () => {
      this.settleFlush(whole, closing);
    });
  }

  private settleFlush(whole: boolean, closing: boolean): void {
    const { response } = this;
    const error = this.phase === 'closed' ? (this.failure ?? writeDestroyedError()) : null;
    const callbacks = whole && response !== undefined ? settleEnd(response, error) : NO_CALLBACKS;
    const finished = whole && error === null ? response : undefined;
    if (callbacks.length === 0) this.tellFlush(finished, closing);
    else {
      const rest = (): void => {
        this.tellFlush(finished, closing);
      };
      tellEach([...tellingAll(callbacks, error), rest]);
    }
  }

  private tellFlush(finished: Outgoing | undefined, closing: boolean): void {
    if (finished !== undefined) this.finish(finished);
    if (closing) this.close();
    if (finished !== undefined && finished._eventsCount > 0) finished.emit('finish');
  }

  awaitFinish(response: Outgoing): void {
    if (this.awaitsFinish) return;
    this.awaitsFinish = true;
    response.prependOnceListener('finish', () => {
      if (this.phase !== 'closed' && this.socket._httpMessage === response) this.finish(response);
    });
  }

  /** The kernel has taken the whole response. */
  private finish(response: Outgoing): void {
    const { request, socket } = this;
    // A callback of `end()` may have closed the connection.
    if (this.phase !== 'closed') this.phase = 'over';
    tellFinished(request, response, socket, this.server);
    socket._httpMessage = null;
    response.socket = null;
    if (request !== undefined) {
      detachSignal(request);
      leaveRequest(request);
    }
    // As in node: 'close' comes a tick after 'finish'.
    if (response._eventsCount > 0) process.nextTick(closeResponse, response);
    else closeResponse(response);
    this.finishWriting();
  }

  finishWriting(): void {
    if (this.ended || this.phase === 'closed') return;
    this.ended = true;
    this.socket.writable = false;
    this.phase = 'over';
    if (this.request?.complete === true || this.peerEnded) {
      this.closeWhenFlushed();
      return;
    }
    this.carrier.end();
    this.linger = setTimeout(close, LINGER_MILLIS, this).unref();
    if (this.request?._dumped !== false && this.paused) this.resumeCarrier();
  }

  /** The kernel has taken all writes. */
  private get isFlushed(): boolean {
    return this.unflushed === 0 && !this.whole && !this.carrier.blocked;
  }

  private closeWhenFlushed(): void {
    if (this.phase === 'closed') return;
    if (this.isFlushed) {
      this.close();
    } else {
      this.closing = true;
      this.carrier.notifyFlushed();
    }
  }

  // --- ending ---

  /** The request is invalid, or did not arrive in time. */
  refuse(error: ReadError): void {
    const { server, socket } = this;
    this.failure = error;
    if (server.emit('clientError', error, socket) || this.ended) return;
    if (this.response?._headerSent === true) {
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
    const limit = this.phase === 'receiving' ? headersTimeout || requestTimeout : requestTimeout;
    if (limit === 0 || now - this.startedAt < limit) return;
    const error = Object.assign(requestTimeoutError(), { status: REQUEST_TIMEOUT }) as ReadError;
    this.scope.runInAsyncScope(refuse, undefined, this, error);
  }

  onIdle(): void {
    this.scope.runInAsyncScope(() => {
      const { request, response, server, socket } = this;
      if (!tellIdle({ request, response, server, socket })) this.close();
    });
  }

  destroy(error: Error | undefined): void {
    if (this.phase === 'closed') return;
    if (error !== undefined) {
      this.failure ??= error;
      this.socket._hadError = true;
    }
    this.close();
  }

  close(): void {
    if (this.phase === 'closed') return;
    const event = closes.hasSubscribers ? this.closeEvent() : undefined;
    this.phase = 'closed';
    clearTimeout(this.linger);
    this.carrier.destroy();
    this.ended = true;
    this.socket._close();
    this.server.release(this);
    const { request, socket, callbacks } = this;
    const answered = socket._httpMessage === null && request?.complete === true && !socket._hadError;
    if (answered && socket.listenerCount('close') === 0 && callbacks === undefined && event === undefined) return;
    const { server, response, failure } = this;
    this.callbacks = undefined;
    const lost = [...(callbacks ?? []), ...this.endCallbacks()];
    const ended = { server, socket, request, response, failure, callbacks: lost, event };
    if (!socket._hadError || failure === undefined) {
      this.tellEnd(ended);
      return;
    }
    // As in node: the error is emitted in the next tick, before the other events of the end.
    process.nextTick(() => {
      this.scope.runInAsyncScope(tellFailed, undefined, ended, failure);
    });
    this.tellEnd({ ...ended, callbacks: [] });
  }

  /** The `end()` callbacks of a response that was written whole and will never reach the kernel. */
  private endCallbacks(): readonly EndCallback[] {
    const { whole, response, failure } = this;
    if (!whole || response === undefined) return NO_CALLBACKS;
    this.whole = false;
    return settleEnd(response, failure ?? writeDestroyedError());
  }

  /** As in node, where the descriptor is closed at the end of the event-loop iteration. */
  private tellEnd(ended: Ended): void {
    setImmediate(() => {
      this.scope.runInAsyncScope(tellEnded, undefined, ended);
    });
  }

  /** Read while the carrier is still open: its counters disappear with it. */
  private closeEvent(): CloseEvent | undefined {
    const { server, socket } = this;
    const stats = this.carrier.stats();
    return stats === undefined ? undefined : { server, socket, stats };
  }
}

function readBytes(connection: Connection, data: Buffer, start: number, end: number): void {
  connection.readBytes(data, start, end);
}

function refuse(connection: Connection, error: ReadError): void {
  connection.refuse(error);
}

function flushed(connection: Connection): void {
  connection.flushed();
}

function close(connection: Connection): void {
  connection.close();
}
