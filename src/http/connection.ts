/**
 * A connection of an `http.Server` whose requests are given to its listeners of 'request' as node's own objects. How it
 * reads: reading-connection.ts; how it responds, and ends: pipelined-connection.ts.
 *
 *   between requests --(a plain head)--> in a body --(its last byte)--> between requests
 *          \--(anything else, or a program that wants the socket)--> a socket, served by node's own code
 */
import type { Incoming, Outgoing } from '../exchange/contracts.js';
import { Exchange } from '../exchange/exchange.js';
import { isUnheard, noteEnd, pushEnd, wantsBody } from '../exchange/request.js';
import { tellStarted } from '../exchange/telling.js';
import { decodesAtOnce } from '../node/decoding.js';
import { emitRequest } from '../node/http-request-event.js';
import { copyOf } from '../memory/own-memory.js';
import type { NativeSocket } from '../net/socket.js';
import { report, reports } from '../net/async-scopes.js';
import { runTicks } from '../node/run-ticks.js';
import { breakOff, giveRest, pushAll, type PartlyRead } from './become-socket.js';
import type { BreakingCallback } from './broken-parser.js';
import { makeRequest, type PlainHead } from './plain-request.js';
import { makePlainResponse } from './plain-response.js';
import { ReadingConnection } from './reading-connection.js';
import { isStandIn } from './stand-in.js';

export class HttpConnection extends ReadingConnection {
  /** The exchange whose request's body is being read. */
  private receiving: Exchange | undefined;
  /** Of the body of `receiving`. */
  private bodySeen = 0;
  /** Where a listener has thrown. */
  private broken: BreakingCallback | undefined;
  /** Where node's parser would be, that is which of its callbacks. */
  private stage: BreakingCallback = 'kOnHeadersComplete';

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

  override readBytes(data: Buffer, start: number, end: number): void {
    let at = start;
    const wasBroken = this.broken !== undefined;
    let isFirst = true;
    // Where a listener throws, the rest of the read is lost, as with node's parser.
    while (at < end && !this.closed && (wasBroken || this.broken === undefined)) {
      const isInBody = this.bodyLeft > 0 && this.broken === undefined;
      const head = isInBody ? undefined : this.scan(data, at, end);
      if (!isInBody && head === undefined) {
        this.becomeSocket({ packet: copyOf(data, start, end), offset: at - start });
        return;
      }
      const next = head === undefined ? Math.min(end, at + this.bodyLeft) : at + head.length;
      const body = isInBody ? this.pieceOf(data, at, next) : undefined;
      at = next;
      this.hasMoreRead = at < end;
      if (isFirst) this.takePart(head, body);
      // What listeners have entered before is not the context of what follows. (Before Node 24 it is, as on node.)
      else if (!this.scope.runInAsyncScope(takePart, undefined, this, head, body)) return;
      isFirst = false;
    }
    if (at < end && this.became && this.broken === undefined)
      giveRest(this.socket, { packet: copyOf(data, start, end), offset: at - start });
  }

  /** A piece of a body: memory of its own, unless it becomes a string at once. */
  private pieceOf(data: Buffer, from: number, until: number): Buffer {
    const { receiving } = this;
    const isLent = receiving !== undefined && decodesAtOnce(receiving.request);
    return isLent ? data.subarray(from, until) : copyOf(data, from, until);
  }

  /** A request's head, or else a piece of its body. */
  takePart(head: PlainHead | undefined, body: Buffer | undefined): void {
    if (head !== undefined) this.serve(head);
    else if (body !== undefined) this.readChunk(body);
  }

  private scan(data: Buffer, start: number, end: number): PlainHead | undefined {
    if (this.hasReadLast || this.broken !== undefined) return undefined;
    return this.server.scan(this.carrier.engine, data, start, end);
  }

  private serve(head: PlainHead): void {
    const { server, socket } = this;
    this.isSocketShown = true;
    this.stopResting();
    this.beginMessage();
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
    emitRequest(this.server.emitter, request, response);
  }

  private get wantsBody(): boolean {
    const { receiving } = this;
    return receiving !== undefined && !this.closed && wantsBody(receiving.request);
  }

  /** The next bytes of a body: see `pieceOf`. */
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
    if (reports !== before) this.noteBroken();
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
  override breakOff(error: unknown): void {
    this.noteBroken();
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

  /** A block of a body has been read, outside `readBytes`. */
  endActive(): void {
    if (this.became) this.server.endActive(this.socket);
  }

  private noteBroken(): void {
    this.broken = this.stage;
    if (this.became) breakOff(this.socket, this.bodyLeft, this.stage);
  }

  private completeMessage(exchange: Exchange): void {
    const { request } = exchange;
    this.stage = 'kOnMessageComplete';
    if (this.receiving === exchange) this.receiving = undefined;
    request.complete = true;
    if (isUnheard(request)) noteEnd(request);
    // What the handler has entered is not its context, either: see readBytes().
    else this.scope.runInAsyncScope(pushEnd, undefined, request);
    // Reading goes on, for the next request and the end.
    if (!this.socket._paused) this.resume();
  }

  protected override readEnd(): void {
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

  /** Bytes of this request's body that have not been read from the kernel; 0 if it is read by others. */
  override bodyLeftOf(request: object): number {
    const isRead = this.receiving?.request === request && this.wantsBody && !this.socket._paused;
    return isRead && this.broken === undefined ? this.bodyLeft : 0;
  }

  protected override skipBody(bytes: number): void {
    this.bodyLeft -= bytes;
    this.bodySeen += bytes;
    if (this.bodyLeft === 0) this.scope.runInAsyncScope(completeBody, undefined, this);
    else this.resume();
  }

  completeBody(): void {
    if (this.receiving !== undefined) this.completeMessage(this.receiving);
  }

  // --- ending ---

  override destroy(error: Error | undefined): void {
    if (this.isDestroyedLate()) return;
    // Node's parser reads on, whatever has become of the socket.
    if (this.hasMoreRead && !this.closed) {
      this.becomeSocket();
      (this.socket as unknown as NativeSocket).destroy(error);
    } else {
      super.destroy(error);
    }
  }

  protected override assignNext(next: Exchange): void {
    // It was destroyed while it waited, and ends the connection as soon as it has it: see `destroy`.
    if (this.hasMoreRead && next.response.destroyed) this.becomeSocket();
    else super.assignNext(next);
  }

  protected override get isReceiving(): boolean {
    return this.receiving !== undefined;
  }

  protected override get isBroken(): boolean {
    return this.broken !== undefined;
  }

  protected override get isAnswering(): boolean {
    return this.socket._httpMessage?._headerSent === true;
  }

  get isIdle(): boolean {
    const { receiving, current } = this;
    return this.requests > 0 && receiving === undefined && (current === undefined || current.response.finished);
  }

  protected override get idleMessages(): { request: Incoming | undefined; response: Outgoing | undefined } {
    return { request: this.receiving?.request, response: this.current?.response };
  }

  protected override get isAnswered(): boolean {
    const { current, receiving, queue = [] } = this;
    return current === undefined && receiving === undefined && queue.length === 0;
  }

  // --- becoming a socket ---

  /** Node's own code serves what follows: first what is left of this read, then the end if that has come. */
  becomeSocket(read?: PartlyRead, hasEnded = false): void {
    // First: it calls back.
    this.sink?.stop();
    if (this.closed || !isStandIn(this.socket)) return;
    const { current, queue = [], receiving, bodySeen, broken } = this;
    const exchanges = current === undefined ? queue : [current, ...queue];
    const answered = receiving === undefined || exchanges.includes(receiving) ? undefined : receiving;
    // One of its listeners is running, before the request is complete; node's parser is given all of it now.
    if (receiving !== undefined && this.bodyLeft === 0 && broken === undefined) this.server.beginActive(this.socket);
    this.turnInto({ exchanges, answered, receiving, bodySeen, read, hasEnded, broken });
  }
}

/** Returns whether the rest of the read is looked at. */
function takePart(connection: HttpConnection, head: PlainHead | undefined, body: Buffer | undefined): boolean {
  try {
    connection.takePart(head, body);
    return true;
  } catch (error) {
    connection.breakOff(error);
    return false;
  }
}

function readChunk(connection: HttpConnection, chunk: Buffer): void {
  try {
    connection.readChunk(chunk);
  } catch (error) {
    connection.breakOff(error);
  } finally {
    connection.endActive();
  }
}

function completeBody(connection: HttpConnection): void {
  connection.completeBody();
}

function tellPeerEnd(connection: HttpConnection): void {
  connection.tellPeerEnd();
}
