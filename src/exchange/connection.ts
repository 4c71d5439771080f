/**
 * One connection of a server: reads a request by its protocol, has the server's listeners answer it, and closes.
 *
 *   receiving --(head)--> serving --(answer sent)--> over --(request complete, or given up)--> closed
 *       \--(no request)-----------------------------/ \--destroy(), from anywhere-------------/
 *
 * `over`: what still comes of the request is read away, as closing with bytes unread would take the answer from the peer.
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

/** How long the rest of a request is read away that has been answered: nginx's `lingering_timeout`. */
const LINGER_MILLIS = 5000;

const REQUEST_TIMEOUT = 408;

const INFORMATION = /^HTTP\/1\.1 1\d\d /;

/** The server of a connection, which forgets it when it is closed. */
export interface ReleasingServer extends ServerContract {
  release(connection: Connection): void;
}

type Phase = 'receiving' | 'serving' | 'over' | 'closed';

export class Connection implements CarrierOwner, ConnectionContract, RequestSink {
  readonly server: ReleasingServer;
  readonly carrier: Carrier;
  readonly socket: ExchangeSocket;
  readonly startedAt: number;
  /** Among the server's connections. */
  place = -1;
  head: RequestHead | undefined;
  ended = false;
  private phase: Phase = 'receiving';
  private readonly reader: RequestReader;
  /** What the listeners of one connection do in it (`AsyncLocalStorage.enterWith`) is not seen by those of another. */
  private readonly scope = captureScope();
  /** As node: what comes of writes is told in the context of the last of them. */
  private writeScope: AsyncResource | undefined;
  private request: Incoming | undefined;
  private response: Outgoing | undefined;
  /** Of writes since the last flush. */
  private callbacks: WriteCallback[] | undefined;
  /** Bytes of writes since the last flush, but for an answer written whole. */
  private unflushed = 0;
  owesDrain = false;
  private paused = false;
  private peerEnded = false;
  /** Closes as soon as all that was written is with the kernel. */
  private closing = false;
  /** The answer has been written whole, and is to be flushed. */
  private whole = false;
  private awaitsFinish = false;
  private failure: Error | undefined;
  /** By listeners, while the reader read. */
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

  // --- what comes in ---

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

  /** A reader has read on, whatever listeners threw, so that it knows where in a body it stands: now it comes out. */
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
    // The peer's going is to be seen.
    if (this.paused) this.resumeCarrier();
  }

  pause(): void {
    if (this.paused || this.phase === 'closed') return;
    this.paused = true;
    this.carrier.pause();
  }

  /** Somebody reads the request. */
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
    // As in node, a half-closed peer gets what has been written whole, and no more.
    if (phase === 'over') this.closeWhenFlushed();
    else if (phase !== 'serving' || response === undefined) this.close();
    else if (!response.finished && !this.server.httpAllowHalfOpen) this.close();
  }

  onFailure(error: Error | undefined): void {
    this.destroy(error);
  }

  // --- what goes out ---

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

  /** node's own code writes answers of the class 1xx so. */
  private isUnwanted(data: string | Uint8Array): boolean {
    return !this.server.codec.sendsInformation && typeof data === 'string' && INFORMATION.test(data);
  }

  writeWhole(head: string, body: string | Uint8Array): void {
    const { carrier } = this;
    this.socket._touch();
    this.whole = true;
    this.writeScope = captureScope();
    // As node: a string goes with the head, in the body's encoding; a head without a body is latin1.
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
    // As they are now: those who are told may write again.
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

  /** The answer is with the kernel. */
  private finish(response: Outgoing): void {
    const { request, socket } = this;
    // A callback of `end()` may have closed it.
    if (this.phase !== 'closed') this.phase = 'over';
    tellFinished(request, response, socket, this.server);
    socket._httpMessage = null;
    response.socket = null;
    if (request !== undefined) {
      detachSignal(request);
      leaveRequest(request);
    }
    // As node: 'close' comes a tick after 'finish'.
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

  /** All that was written is with the kernel. */
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

  // --- how it ends ---

  /** What came is no request, or did not come in time. */
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

  /** Refuses a request that has not come in time. Times are milliseconds; 0 is for ever. */
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
    // As node: an error is told in the next tick, before those who wait for it otherwise.
    process.nextTick(() => {
      this.scope.runInAsyncScope(tellFailed, undefined, ended, failure);
    });
    this.tellEnd({ ...ended, callbacks: [] });
  }

  /** Of an answer that was written whole, and will not be with the kernel. */
  private endCallbacks(): readonly EndCallback[] {
    const { whole, response, failure } = this;
    if (!whole || response === undefined) return NO_CALLBACKS;
    this.whole = false;
    return settleEnd(response, failure ?? writeDestroyedError());
  }

  /** As node, where the descriptor is closed by the end of the loop's turn. */
  private tellEnd(ended: Ended): void {
    setImmediate(() => {
      this.scope.runInAsyncScope(tellEnded, undefined, ended);
    });
  }

  /** Of a carrier that is still open: its numbers are gone with it. */
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
