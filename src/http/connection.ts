/**
 * A connection of an `http.Server` whose requests are read without a stream and without node's parser. How it responds,
 * and ends: pipelined-connection.ts.
 *
 *   between requests --(a plain head)--> in a body --(its last byte)--> between requests
 *          \--(anything else, or a program that wants the socket)--> a socket, served by node's own code
 */
import { NativeCarrier } from '../exchange/carrier.js';
import type { Incoming, Outgoing } from '../exchange/contracts.js';
import { Exchange } from '../exchange/exchange.js';
import { isUnheard, noteEnd, wantsBody } from '../exchange/request.js';
import { tellStarted } from '../exchange/telling.js';
import type { Engine } from '../engine/engine.js';
import { loopTime } from '../engine/thread-engine.js';
import { requestTimeoutError } from '../errors/index.js';
import { copyOf } from '../memory/own-memory.js';
import type { AcceptingListener } from '../net/accept-delegate.js';
import type { NativeSocket } from '../net/socket.js';
import { report, reports } from '../net/async-scopes.js';
import type { Sink } from '../net/sink.js';
import type { SocketSettings } from '../net/socket-options.js';
import { runTicks } from '../node/run-ticks.js';
import { becomeSocket, giveRest, pushAll, type PartlyRead } from './become-socket.js';
import type { BreakingCallback } from './broken-parser.js';
import type { HttpHost } from './host.js';
import type { HttpSocket, StandInConnection } from './http-socket.js';
import { EndpointNames } from './endpoint-names.js';
import { PipelinedConnection } from './pipelined-connection.js';
import { runOthersTicks } from './others-ticks.js';
import { makeRequest, scanHead, type PlainHead } from './plain-request.js';
import { makePlainResponse } from './plain-response.js';
import { isStandIn, StandInSocket } from './stand-in.js';

/** Milliseconds since a read within which more than the peer has declared to be its last is not looked for. */
const CLOSING_MOMENT = 1;

/** As node says it. */
const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

export class HttpConnection extends PipelinedConnection implements StandInConnection {
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
  /** The request that was read last allows no other. */
  private hasReadLast = false;
  /** Where a listener has thrown. */
  private broken: BreakingCallback | undefined;
  /** Where node's parser would be, that is which of its callbacks. */
  private stage: BreakingCallback = 'kOnHeadersComplete';
  protected override isAmidRead = false;
  /** Of what is being read. */
  private hasMoreRead = false;
  private became = false;
  private requests = 0;
  /** When the message that is being read, or the connection, began. */
  private startedAt = loopTime();
  /** Read while it was paused, and not looked at; undefined: the end. */
  private unread: (Buffer | undefined)[] | undefined;
  private refused = false;
  private knownNames: EndpointNames | undefined;
  /** The file that a body goes to, past this connection. */
  sink: Sink | undefined;

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

  get engine(): Engine {
    return this.carrier.engine;
  }

  get tcp(): boolean {
    return this.listener.tcp;
  }

  get settings(): SocketSettings {
    return this.listener.settings;
  }

  get names(): EndpointNames {
    return (this.knownNames ??= new EndpointNames(this.carrier, this.tcp));
  }

  // --- reading ---

  override onBytes(data: Buffer, start: number, end: number): void {
    if (this.closed) return;
    // Read in the same turn as what made it stop.
    if (this.paused || this.unread !== undefined) (this.unread ??= []).push(copyOf(data, start, end));
    else this.take(data, start, end);
  }

  private take(data: Buffer, start: number, end: number): void {
    this.bytesRead += end - start;
    this.socket._touch();
    runOthersTicks(this.carrier.engine);
    if (this.carrier.awaitingFlush) while (this.finishWritten()) runTicks();
    this.scope.runInAsyncScope(readBytes, undefined, this, data, start, end);
  }

  /** A full block, which a body may keep. */
  onBlock(block: Buffer): boolean {
    const isNext = !this.closed && !this.paused && this.unread === undefined;
    const isBody = isNext && this.bodyLeft >= block.length && this.broken === undefined;
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
    if (!is && this.unread !== undefined) this.readOn();
  }

  readBytes(data: Buffer, start: number, end: number): void {
    if (this.refused) return;
    let at = start;
    // Whether `data` is a copy: a handler may run the event loop, which then reads into the engine's memory.
    let isOwn = false;
    const wasBroken = this.broken !== undefined;
    // Where a listener throws, the rest of the read is lost, as with node's parser.
    while (at < end && !this.closed && (wasBroken || this.broken === undefined)) {
      const isInBody = this.bodyLeft > 0 && this.broken === undefined;
      const head = isInBody ? undefined : this.scan(data, at, end);
      if (!isInBody && head === undefined) {
        this.becomeSocket({ packet: copyOf(data, start, end), offset: at - start });
        return;
      }
      const next = head === undefined ? Math.min(end, at + this.bodyLeft) : at + head.length;
      const body = isInBody ? copyOf(data, at, next) : undefined;
      at = next;
      if (at < end && !isOwn) {
        [data, at, end, start] = [copyOf(data, start, end), at - start, end - start, 0];
        isOwn = true;
      }
      this.hasMoreRead = at < end;
      if (head !== undefined) this.serve(head);
      else if (body !== undefined) this.readChunk(body);
    }
    if (at < end && this.became) giveRest(this.socket, { packet: copyOf(data, start, end), offset: at - start });
  }

  private scan(data: Buffer, start: number, end: number): PlainHead | undefined {
    if (this.hasReadLast || this.broken !== undefined) return undefined;
    return scanHead(this.server, this.carrier.engine, data, start, end);
  }

  private serve(head: PlainHead): void {
    const { server, socket } = this;
    this.stopResting();
    this.startedAt = loopTime();
    this.hasReadLast = !head.keepsAlive;
    this.bodyLeft = head.bodyLength;
    this.bodySeen = 0;
    const { request: Request, response: Response } = server.classes.current;
    const request = makeRequest(server, Request, socket, head);
    this.limitReading();
    const response = makePlainResponse(server, Response, request, head);
    response._onPendingData = this.onPendingData;
    const exchange = new Exchange(request, response);
    this.receiving = exchange;
    tellStarted(request, response, socket, server.emitter);
    this.admit(exchange);
    this.stage = 'kOnHeadersComplete';
    this.dispatch(request, response);
    if (this.bodyLeft === 0) this.completeMessage(exchange);
  }

  private dispatch(request: Incoming, response: Outgoing): void {
    this.requests++;
    this.server.emitter.emit('request', request, response);
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
    else if (this.bodyLeft === 0 && this.receiving === receiving) this.completeMessage(receiving);
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
    if (!this.paused || this.sink !== undefined) return;
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
    // A tick may run between two messages of a read.
    if (unread === undefined || !this.reads || this.isAmidRead) return;
    const next = this.shiftUnread();
    if (next === undefined) this.onPeerEnd();
    else this.take(next, 0, next.length);
    this.readOn();
  }

  private shiftUnread(): Buffer | undefined {
    const { unread = [] } = this;
    const next = unread.shift();
    if (unread.length === 0) this.unread = undefined;
    return next;
  }

  private readOn(): void {
    if (!this.reads) return;
    if (this.unread === undefined) this.carrier.resume();
    else process.nextTick(giveUnread, this);
  }

  override onPeerEnd(): void {
    if (this.closed) return;
    this.sink?.stop();
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
    if (this.ended) this.closeWhenFlushed();
    else if (!this.server.emitter.httpAllowHalfOpen || last === undefined) this.finishWriting();
    else last.response._last = true;
  }

  // --- a body below JavaScript ---

  /** Bytes of this request's body that have not been read from the kernel; 0 if it is read by others. */
  bodyLeftOf(request: object): number {
    const isRead = this.receiving?.request === request && this.wantsBody && !this.socket._paused;
    return isRead && this.broken === undefined ? this.bodyLeft : 0;
  }

  /** Takes what has been read from the kernel while it was paused, and returns whether that was all. */
  takeAhead(): boolean {
    const { unread = [] } = this;
    if (!unread.includes(undefined)) {
      const fresh = this.engine.takeUnread(this.id, this.bytesRead + lengthOf(unread));
      if (fresh.length > 0) this.unread = [...unread, ...fresh];
    }
    // A connection that becomes a socket meanwhile takes the rest along.
    while (!this.closed && this.unread?.[0] !== undefined) {
      const next = this.shiftUnread() as Buffer;
      this.take(next, 0, next.length);
    }
    if (this.unread !== undefined || this.closed) return false;
    // The program has asked for more meanwhile.
    if (!this.paused) this.carrier.resume();
    return true;
  }

  /** So many bytes of the body have gone to a file. */
  noteTaken(bytes: number): void {
    this.bytesRead += bytes;
    this.bodyLeft -= bytes;
    this.bodySeen += bytes;
    if (this.bodyLeft === 0) this.scope.runInAsyncScope(completeBody, undefined, this);
    else this.resume();
  }

  completeBody(): void {
    if (this.receiving !== undefined) this.completeMessage(this.receiving);
  }

  onTaken(status: number): void {
    this.sink?.onTaken(status);
  }

  // --- ending ---

  override close(): void {
    if (!this.closed) this.sink?.stop();
    super.close();
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

  protected override get mayHaveUnread(): boolean {
    const { engine } = this.carrier;
    if (this.bodyLeft > 0) return true;
    if (!this.tcp && this.hasReadLast && engine.turnAge() < CLOSING_MOMENT) return false;
    return engine.native.unread(this.id) !== 0;
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

  // --- becoming a socket ---

  /** Node's own code serves what follows: first what is left of this read, then the end if that has come. */
  becomeSocket(read?: PartlyRead, hasEnded = false): void {
    if (this.closed || !isStandIn(this.socket)) return;
    this.sink?.stop();
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

function lengthOf(pieces: readonly (Buffer | undefined)[]): number {
  return pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 0);
}

function completeBody(connection: HttpConnection): void {
  connection.completeBody();
}

function tellPeerEnd(connection: HttpConnection): void {
  connection.tellPeerEnd();
}

function giveUnread(connection: HttpConnection): void {
  connection.giveUnread();
}

function refuse(connection: HttpConnection, error: Error): void {
  connection.refuse(error);
}
