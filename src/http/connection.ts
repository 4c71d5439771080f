/**
 * A connection of an `http.Server` whose requests are read without a stream and without node's parser.
 *
 *   between requests --(a plain head)--> in a body --(its last byte)--> between requests
 *          \--(anything else, or a program that wants the socket)--> a socket, served by node's own code
 *
 * The responses own the connection one after another. As in node, those to requests that came before an earlier one was
 * answered wait in `queue`.
 */
import { NativeCarrier } from '../exchange/carrier.js';
import { Connection } from '../exchange/connection.js';
import type { Incoming, Outgoing } from '../exchange/contracts.js';
import type { Pending } from '../exchange/ending.js';
import { Exchange } from '../exchange/exchange.js';
import { isUnheard, noteEnd, wantsBody } from '../exchange/request.js';
import { endsShort, makeResponse } from '../exchange/response.js';
import { tellStarted } from '../exchange/telling.js';
import type { NativeEndpoint } from '../binding/addon.js';
import type { Engine } from '../engine/engine.js';
import { loopTime } from '../engine/thread-engine.js';
import { requestTimeoutError } from '../errors/index.js';
import { copyOf } from '../memory/own-memory.js';
import type { AcceptingListener } from '../net/accept-delegate.js';
import type { NativeSocket } from '../net/socket.js';
import { report, reports } from '../net/async-scopes.js';
import type { SocketSettings } from '../net/socket-options.js';
import type { WriteCallback } from '../node/stream-state.js';
import { runTicks } from '../node/run-ticks.js';
import { giveUniqueHeaders } from '../node/http-server.js';
import { becomeSocket, giveRest, pushAll, type PartlyRead } from './become-socket.js';
import type { BreakingCallback } from './broken-parser.js';
import type { HttpHost } from './host.js';
import { KeepAliveTimer } from './keep-alive-timer.js';
import { makeRequest, scanHead, type PlainHead } from './plain-request.js';
import { plainEndsMayBeShort, storeHeader } from './response-head.js';
import { isStandIn, setIdleTime, StandInSocket, type HttpSocket, type StandInConnection } from './stand-in.js';

/** Milliseconds since a read within which more than the peer has declared to be its last is not looked for. */
const CLOSING_MOMENT = 1;

/** As node says it. */
const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

const BEYOND_ASCII = /[\x80-\xff]/;

const NO_NAME: NativeEndpoint = {};

interface HeldWrite {
  data: string | Uint8Array;
  encoding: BufferEncoding;
  callback: WriteCallback | undefined;
}

export class HttpConnection extends Connection<HttpHost> implements StandInConnection {
  declare readonly carrier: NativeCarrier;
  readonly socket: HttpSocket;
  readonly listener: AcceptingListener;
  bytesRead = 0;
  declare paused: boolean;
  declare peerEnded: boolean;
  /** The exchange whose request's body is being read. */
  private receiving: Exchange | undefined;
  private bodyLeft = 0;
  /** Of the body of `receiving`. */
  private bodySeen = 0;
  /** Responses that do not own the connection yet, oldest first. */
  private queue: Exchange[] | undefined;
  /** Bytes in them: more than `highWaterMark` stop the reading of requests. */
  private queuedBytes = 0;
  /** The request that was read last allows no other. */
  private hasReadLast = false;
  /** Where a listener has thrown. */
  private broken: BreakingCallback | undefined;
  /** Where node's parser would be, that is which of its callbacks. */
  private stage: BreakingCallback = 'kOnHeadersComplete';
  private isAmidRead = false;
  /** Of what is being read. */
  private hasMoreRead = false;
  private became = false;
  /** It closes as soon as all has left. */
  private endsSoon = false;
  private requests = 0;
  /** When the message that is being read, or the connection, began. */
  private startedAt = loopTime();
  private keepAlive: KeepAliveTimer | undefined;
  /** Writes of a corked socket, and their bytes. */
  private held: HeldWrite[] | undefined;
  heldBytes = 0;
  /** Read while it was paused, and not looked at; undefined: the end. */
  private unread: (Buffer | undefined)[] | undefined;
  private refused = false;
  private peer: NativeEndpoint | undefined;
  private own: NativeEndpoint | undefined;

  constructor(host: HttpHost, listener: AcceptingListener, id: number) {
    super(host, new NativeCarrier(listener.engine, id, true));
    this.listener = listener;
    this.socket = new StandInSocket(this, host.emitter);
    const { timeout } = host.emitter;
    if (timeout > 0) this.socket.setTimeout(timeout);
  }

  get id(): number {
    return this.carrier.id;
  }

  get tcp(): boolean {
    return this.listener.tcp;
  }

  get settings(): SocketSettings {
    return this.listener.settings;
  }

  peerName(): NativeEndpoint {
    if (this.peer !== undefined) return this.peer;
    if (!this.tcp || this.id < 0) return NO_NAME;
    const name = this.carrier.engine.native.peerAddress(this.id);
    return typeof name === 'number' ? NO_NAME : (this.peer = name);
  }

  ownName(): NativeEndpoint {
    if (!this.tcp || this.id < 0) return NO_NAME;
    if (this.own !== undefined) return this.own;
    const name = this.carrier.engine.native.localAddress(this.id);
    return typeof name === 'number' ? NO_NAME : (this.own = name);
  }

  // --- reading ---

  override onBytes(data: Buffer, start: number, end: number): void {
    if (this.closed) return;
    // Read in the same turn as what made it stop.
    if (this.paused) (this.unread ??= []).push(copyOf(data, start, end));
    else this.take(data, start, end);
  }

  private take(data: Buffer, start: number, end: number): void {
    this.bytesRead += end - start;
    this.socket._touch();
    runOthersTicks(this.carrier.engine);
    if (this.carrier.awaitingFlush) while (this.finishWritten()) runTicks();
    this.scope.runInAsyncScope(readBytes, undefined, this, data, start, end);
  }

  /**
   * A response that the kernel has taken is over at the end of the turn; as in node, earlier where something waits for
   * that: another response, or another read. Returns false if there is none.
   */
  finishWritten(): boolean {
    const { carrier } = this;
    if (!carrier.awaitingFlush || this.closed) return false;
    carrier.flush();
    if (carrier.blocked || carrier.failed) return false;
    carrier.awaitingFlush = false;
    this.onFlushed();
    return true;
  }

  /** A full block, which a body may keep. */
  onBlock(block: Buffer): boolean {
    const isBody = !this.closed && !this.paused && this.bodyLeft >= block.length && this.broken === undefined;
    if (!isBody) {
      this.onBytes(block, 0, block.length);
      return false;
    }
    this.bytesRead += block.length;
    this.socket._touch();
    this.scope.runInAsyncScope(readChunk, undefined, this, block);
    return true;
  }

  amidRead(is: boolean): void {
    this.isAmidRead = is;
    this.hasMoreRead = false;
  }

  readBytes(data: Buffer, start: number, end: number): void {
    if (this.refused) return;
    let at = start;
    // Whether `data` is a copy: a handler may run the event loop, which then reads into the engine's memory.
    let isOwn = false;
    const wasBroken = this.broken !== undefined;
    // Where a listener throws, the rest of the read is lost, as with node's parser.
    while (at < end && !this.closed && (wasBroken || this.broken === undefined)) {
      if (this.bodyLeft > 0 && this.broken === undefined) {
        const bodyEnd = Math.min(end, at + this.bodyLeft);
        const body = copyOf(data, at, bodyEnd);
        at = bodyEnd;
        if (at < end && !isOwn) {
          [data, at, end, start] = [copyOf(data, start, end), at - start, end - start, 0];
          isOwn = true;
        }
        this.readChunk(body);
        continue;
      }
      const head = this.scan(data, at, end);
      if (head === undefined) {
        this.becomeSocket({ packet: copyOf(data, start, end), offset: at - start });
        return;
      }
      at += head.length;
      const bodyLength = Math.min(end - at, head.bodyLength);
      if (at < end && !isOwn) {
        [data, at, end, start] = [copyOf(data, start, end), at - start, end - start, 0];
        isOwn = true;
      }
      this.hasMoreRead = at < end;
      this.serve(head);
      if (bodyLength === 0 || this.became) continue;
      const body = copyOf(data, at, at + bodyLength);
      at += bodyLength;
      this.hasMoreRead = at < end;
      this.readChunk(body);
    }
    if (at < end && this.became) giveRest(this.socket, { packet: copyOf(data, start, end), offset: at - start });
  }

  private scan(data: Buffer, start: number, end: number): PlainHead | undefined {
    if (this.hasReadLast || this.broken !== undefined) return undefined;
    return scanHead(this.server, this.carrier.engine, data, start, end);
  }

  private serve(head: PlainHead): void {
    const { server, socket } = this;
    this.resetTimeout();
    this.startedAt = loopTime();
    const request = makeRequest(server, socket, head);
    this.limitReading();
    const response = makeResponse(
      server.responseClass,
      request,
      server.responseOptions,
      storeHeader,
      plainEndsMayBeShort(),
    );
    const exchange = new Exchange(request, response);
    this.prepare(response, head);
    this.hasReadLast = !head.keepsAlive;
    this.bodyLeft = head.bodyLength;
    this.bodySeen = 0;
    this.receiving = exchange;
    tellStarted(request, response, socket, server.emitter);
    if (this.current === undefined) this.assign(exchange);
    else this.enqueue(exchange);
    this.stage = 'kOnHeadersComplete';
    this.dispatch(request, response);
    if (this.bodyLeft === 0) this.completeMessage(exchange);
  }

  private enqueue(exchange: Exchange): void {
    (this.queue ??= []).push(exchange);
    if (this.current !== undefined) this.current.isShared = true;
    process.nextTick(finishWritten, this);
  }

  private prepare(response: Outgoing, head: PlainHead): void {
    const { emitter } = this.server;
    response._keepAliveTimeout = emitter.keepAliveTimeout;
    response._onPendingData = this.onPendingData;
    response.shouldKeepAlive = head.keepsAlive;
    giveUniqueHeaders(emitter, response);
    if (head.minorVersion === 1) return;
    response.req.httpVersionMinor = 0;
    response.req.httpVersion = '1.0';
    response.useChunkedEncodingByDefault = /(?:^|\W)chunked(?:$|\W)/i.test(String(response.req.headers['te']));
  }

  private dispatch(request: Incoming, response: Outgoing): void {
    this.requests++;
    this.server.emitter.emit('request', request, response);
  }

  /** As in node: a peer that does not read its responses, or sends many requests ahead, is not read further. */
  private limitReading(): void {
    const { socket } = this;
    if (socket._paused || (!this.owesDrain && this.queuedBytes < this.server.highWaterMark)) return;
    socket._paused = true;
    this.pause();
  }

  private readonly onPendingData = (delta: number): void => {
    this.queuedBytes += delta;
    const { socket } = this;
    if (!socket._paused || this.queuedBytes > this.server.highWaterMark) return;
    socket._paused = false;
    this.resume();
  };

  onDrained(): void {
    this.onPendingData(0);
  }

  private get wantsBody(): boolean {
    const { receiving } = this;
    return receiving !== undefined && !this.closed && wantsBody(receiving.request);
  }

  /** The next bytes of a body, in memory of their own. */
  readChunk(chunk: Buffer): void {
    const { receiving } = this;
    this.bodyLeft -= chunk.length;
    this.bodySeen += chunk.length;
    if (receiving === undefined) return;
    this.stage = 'kOnBody';
    if (this.wantsBody && !receiving.request.push(chunk)) this.pause();
    // As node's parser does after each piece, before it reads on.
    const before = reports;
    this.runTicks();
    if (reports !== before) this.broken = this.stage;
    else if (this.bodyLeft === 0) this.completeMessage(receiving);
  }

  private runTicks(): void {
    try {
      do runTicks();
      while (this.finishWritten());
    } catch (error) {
      // The responses whose ticks came before.
      while (this.finishWritten());
      throw error;
    }
  }

  /** A listener or a tick has thrown: as node's parser, it reads nothing more. */
  breakOff(error: unknown): void {
    this.broken = this.stage;
    // Here, in the request's async context, and before a tick of the program is left out.
    report(error);
    if (this.closed) return;
    // After an exception, node reads on before it runs the ticks that are left.
    const [next, ...later] = this.carrier.engine.takeUnread(this.id, this.bytesRead);
    if (next === undefined) return;
    this.bytesRead += next.length;
    this.becomeSocket({ packet: next, offset: 0 });
    pushAll(this.socket, later);
  }

  private completeMessage(exchange: Exchange): void {
    const { request } = exchange;
    this.stage = 'kOnMessageComplete';
    if (this.receiving === exchange) this.receiving = undefined;
    request.complete = true;
    if (isUnheard(request)) noteEnd(request);
    else request.push(null);
    // Reading goes on, for the next request and the end.
    if (!this.socket._paused) this.resume();
  }

  override resume(): void {
    if (!this.paused) return;
    if (this.unread === undefined) super.resume();
    else {
      this.paused = false;
      process.nextTick(giveUnread, this);
    }
  }

  private get reads(): boolean {
    return !this.closed && !this.paused;
  }

  /** Takes the next piece that was read while it was paused; reads from the kernel when none is left. */
  giveUnread(): void {
    const { unread } = this;
    if (unread === undefined || !this.reads) return;
    const next = unread.shift();
    if (unread.length === 0) this.unread = undefined;
    if (next === undefined) this.onPeerEnd();
    else this.take(next, 0, next.length);
    this.readOn();
  }

  private readOn(): void {
    if (!this.reads) return;
    if (this.unread === undefined) this.carrier.resume();
    else process.nextTick(giveUnread, this);
  }

  override onPeerEnd(): void {
    if (this.closed) return;
    if (this.paused || this.unread !== undefined) {
      (this.unread ??= []).push(undefined);
      return;
    }
    if (this.bodyLeft > 0) {
      // Node's parser says what is wrong with that.
      this.becomeSocket(undefined, true);
      return;
    }
    this.peerEnded = true;
    this.socket.readable = false;
    this.scope.runInAsyncScope(tellPeerEnd, undefined, this);
  }

  tellPeerEnd(): void {
    this.socket.emit('end');
    if (this.closed) return;
    const last = this.queue?.at(-1) ?? this.current;
    if (!this.server.emitter.httpAllowHalfOpen || last === undefined) this.finishWriting();
    else last.response._last = true;
  }

  // --- responding ---

  private assign(exchange: Exchange): void {
    const { socket } = this;
    const { response } = exchange;
    this.current = exchange;
    exchange.sentBefore = this.bytesSent;
    socket._httpMessage = response;
    response.socket = socket;
    if (!endsShort(response)) this.awaitFinishOf(exchange);
  }

  override write(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean {
    const { current } = this;
    // What is written before the headers is not the response: a 1xx one, or bytes of the program's own.
    const isInformation = current?.response._headerSent === false;
    const before = this.bytesSent;
    const hasRoom = super.write(data, encoding, callback);
    if (isInformation) current.sentBefore += this.bytesSent - before;
    return hasRoom;
  }

  hold(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean {
    const length = typeof data === 'string' ? Buffer.byteLength(data, encoding) : data.length;
    (this.held ??= []).push({ data, encoding, callback });
    this.heldBytes += length;
    if (this.waitingBytes < this.server.highWaterMark) return true;
    this.owesDrain = true;
    return false;
  }

  /** With those that wait for the socket to be uncorked. */
  get bytesWritten(): number {
    return this.bytesSent + this.heldBytes;
  }

  sendHeld(): void {
    const { held } = this;
    if (held === undefined) return;
    this.held = undefined;
    this.heldBytes = 0;
    if (!this.closed) for (const { data, encoding, callback } of held) this.write(data, encoding, callback);
  }

  override get waitingBytes(): number {
    return super.waitingBytes + this.heldBytes;
  }

  override writeWhole(head: string, body: string | Uint8Array, tail: string): void {
    const { _outline: outline } = this.socket;
    if (outline !== undefined) outline.corked = 0;
    this.sendHeld();
    super.writeWhole(head, body, tail);
  }

  override onFlushed(): void {
    try {
      super.onFlushed();
    } catch (error) {
      report(error);
    }
  }

  protected override afterResponse(exchange: Exchange): void {
    if (this.closed) return;
    if (exchange.response._last || this.hasWrongLength(exchange)) {
      this.destroySoon();
      return;
    }
    const next = this.queue?.shift();
    if (next === undefined) {
      this.rest();
      return;
    }
    this.current = next;
    next.isShared ||= this.queue !== undefined && this.queue.length > 0;
    next.sentBefore = this.bytesSent;
    this.awaitFinishOf(next);
    // Node's own method, which also sends what the response has so far.
    next.response.assignSocket(this.socket as never);
  }

  /**
   * Whether the body was not as long as its headers said: the peer would take what follows for a part of it, or the
   * other way round.
   */
  private hasWrongLength({ response, sentBefore, isShared }: Exchange): boolean {
    const { _contentLength: length, _header: head } = response;
    if (isShared) return false;
    if (length === null || head === null || !response._hasBody || response.chunkedEncoding) return false;
    if (this.bytesSent - sentBefore === head.length + length) return false;
    // Headers beyond ASCII may have been sent in the encoding of the body, so that their length is not known.
    return !BEYOND_ASCII.test(head);
  }

  /** All requests that have been read are answered. */
  private rest(): void {
    const { keepAliveTimeout, keepAliveTimeoutBuffer = 0 } = this.server.emitter;
    if (!(keepAliveTimeout > 0) || !Number.isFinite(keepAliveTimeout)) return;
    if (this.socket._timer !== undefined) setIdleTime(this.socket, 0);
    (this.keepAlive ??= new KeepAliveTimer(this)).begin(keepAliveTimeout + keepAliveTimeoutBuffer);
  }

  private resetTimeout(): void {
    if (this.keepAlive?.isRunning !== true) return;
    this.keepAlive.stop();
    const { timeout } = this.server.emitter;
    if (timeout > 0) setIdleTime(this.socket, timeout);
  }

  // --- ending ---

  /** As `socket.end()`: the peer may still send. */
  override finishWriting(): void {
    if (this.ended || this.closed) return;
    this.sendHeld();
    this.ended = true;
    this.socket.writable = false;
    if (this.peerEnded) this.closeWhenFlushed();
    else this.carrier.end();
  }

  override destroy(error: Error | undefined): void {
    // Node's parser reads on, whatever has become of the socket.
    if (this.hasMoreRead && !this.closed) {
      this.becomeSocket();
      (this.socket as unknown as NativeSocket).destroy(error);
    } else {
      super.destroy(error);
    }
  }

  destroySoon(): void {
    if (this.closed) return;
    this.sendHeld();
    this.ended = this.endsSoon = true;
    this.socket.writable = false;
    // Listeners of 'finish' still find it open. And as in node, what has been read with this request is still looked at.
    if (this.isAmidRead) this.carrier.engine.tellShutdown(this.carrier, 0);
    else process.nextTick(closeSoon, this);
  }

  onShutdown(): void {
    if (this.endsSoon) this.closeSoon();
  }

  closeSoon(): void {
    if (this.closed) return;
    // With unread bytes, closing would reset the connection before the peer has the response.
    if (!this.peerEnded && this.mayHaveUnread) this.carrier.end();
    this.closeWhenFlushed();
  }

  private get mayHaveUnread(): boolean {
    const { engine } = this.carrier;
    if (this.bodyLeft > 0) return true;
    if (!this.tcp && this.hasReadLast && engine.turnAge() < CLOSING_MOMENT) return false;
    return engine.native.unread(this.id) !== 0;
  }

  reset(): void {
    this.carrier.resets = true;
    this.destroy(undefined);
  }

  /** As node's server does with an error of a socket's. */
  refuse(error: Error): void {
    const { socket, server } = this;
    this.refused = true;
    if (server.emitter.emit('clientError', error, socket) || this.closed) return;
    if (socket.writable && socket._httpMessage?._headerSent !== true) this.write(TIMED_OUT, 'latin1', undefined);
    this.destroy(error);
  }

  protected override get tellsClientError(): boolean {
    return !this.refused;
  }

  get isIdle(): boolean {
    const { receiving, current } = this;
    return this.requests > 0 && receiving === undefined && (current === undefined || current.response.finished);
  }

  /** Refuses what has not arrived in time. Times are in milliseconds; 0 means no limit. */
  checkTime(now: number, headersTimeout: number, requestTimeout: number): void {
    if (this.refused || this.broken !== undefined) return;
    const isNew = this.requests === 0;
    if (!isNew && this.receiving === undefined) return;
    const limit = isNew ? headersTimeout || requestTimeout : requestTimeout;
    if (limit === 0 || now - this.startedAt < limit) return;
    this.scope.runInAsyncScope(refuse, undefined, this, requestTimeoutError());
  }

  protected override get idleMessages(): { request: Incoming | undefined; response: Outgoing | undefined } {
    return { request: this.receiving?.request, response: this.current?.response };
  }

  protected override get isAnswered(): boolean {
    return this.current === undefined && this.receiving === undefined;
  }

  protected override pending(): Pending {
    const { current, queue = [] } = this;
    const exchanges = current === undefined ? queue : [current, ...queue];
    // As in node: a request that has been answered is told nothing, though its body has not come.
    const requests = exchanges.map(({ request }) => request);
    // As in node: those that were never given the connection are destroyed.
    return {
      requests,
      responses: current === undefined ? [] : [current.response],
      waiting: queue.map(({ response }) => response),
    };
  }

  protected override release(): void {
    for (const { callback } of this.held ?? []) if (callback !== undefined) this.loseWrite(callback);
    this.keepAlive?.end();
    this.server.release(this);
  }

  // --- becoming a socket ---

  /** Node's own code serves what follows: first what is left of this read, then the end if that has come. */
  becomeSocket(read?: PartlyRead, hasEnded = false): void {
    if (this.closed || !isStandIn(this.socket)) return;
    const {
      current,
      queue = [],
      receiving,
      bodySeen,
      broken,
      ended,
      endsSoon,
      hasReadLast,
      held = [],
      unread = [],
    } = this;
    const exchanges = current === undefined ? queue : [current, ...queue];
    const answered = receiving === undefined || exchanges.includes(receiving) ? undefined : receiving;
    this.keepAlive?.end();
    this.closed = this.became = true;
    this.server.forget(this);
    const unflushed = this.takeCallbacks();
    this.held = this.unread = undefined;
    const end = endsSoon ? 'soon' : ended ? 'half' : undefined;
    becomeSocket(this, {
      exchanges,
      answered,
      receiving,
      bodySeen,
      read,
      hasEnded,
      end,
      broken,
      unflushed,
      hasReadLast,
      held,
      unread,
    });
  }
}

/** The exceptions that this thread had reported when the ticks that they left were last run. */
let seenExceptions = 0;

/** An exception leaves ticks behind, and errors that these throw do not belong to this connection. */
function runOthersTicks(engine: Engine): void {
  while (seenExceptions !== engine.exceptions + reports) {
    seenExceptions = engine.exceptions + reports;
    try {
      runTicks();
    } catch (error) {
      report(error);
    }
  }
}

function readBytes(connection: HttpConnection, data: Buffer, start: number, end: number): void {
  connection.amidRead(true);
  try {
    connection.readBytes(data, start, end);
  } catch (error) {
    connection.breakOff(error);
  } finally {
    connection.amidRead(false);
  }
}

function readChunk(connection: HttpConnection, chunk: Buffer): void {
  try {
    connection.readChunk(chunk);
  } catch (error) {
    connection.breakOff(error);
  }
}

function tellPeerEnd(connection: HttpConnection): void {
  connection.tellPeerEnd();
}

function giveUnread(connection: HttpConnection): void {
  connection.giveUnread();
}

function finishWritten(connection: HttpConnection): void {
  connection.finishWritten();
}

function closeSoon(connection: HttpConnection): void {
  connection.closeSoon();
}

function refuse(connection: HttpConnection, error: Error): void {
  connection.refuse(error);
}
