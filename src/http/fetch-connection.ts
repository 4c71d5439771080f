/**
 * A connection of an `http.Server` whose requests are answered by a fetch handler, without node's messages. How it reads:
 * reading-connection.ts.
 *
 *   between requests --(a plain head)--> in a body --(its last byte)--> between requests
 *          \--(anything else, once all responses are over)--> a socket, served by node's own code: fetch/node-exchange.ts
 */
import { EventEmitter } from 'node:events';
import { COPY_LIMIT } from '../engine/outbound.js';
import { abortedError, endWithinMessageError } from '../errors/index.js';
import { areRequestsWatched } from '../exchange/telling.js';
import { copyOf } from '../memory/own-memory.js';
import type { AcceptingListener } from '../net/accept-delegate.js';
import { report } from '../net/async-scopes.js';
import { requestListener, type ServerWithFields } from '../node/http-server.js';
import type { PartlyRead } from './become-socket.js';
import { appOfServer, type ServedApp } from './fetch/apps.js';
import { EngineExchange, type ExchangeCarrier } from './fetch/engine-exchange.js';
import { HoldingConnection } from './fetch/holding-connection.js';
import { infoOf } from './fetch/info.js';
import { urlOf } from './fetch/request-url.js';
import type { HttpHost } from './host.js';
import type { PlainHead } from './plain-request.js';
import { isStandIn } from './stand-in.js';

/** Requests that may be ahead of their responses. Each has its handler running, and nothing else limits what they keep. */
const MOST_AHEAD = 32;

/** The handler, if no other code could see the messages: no other listener, and no subscriber of node:http's channels. */
export function servedWithoutMessages(server: ServerWithFields): ServedApp | undefined {
  const served = appOfServer(server);
  return served !== undefined && isUnwatched(server, served) ? served : undefined;
}

function isUnwatched(server: ServerWithFields, { listener }: ServedApp): boolean {
  return requestListener(server) === listener && server.emit === EventEmitter.prototype.emit && !areRequestsWatched();
}

export class FetchConnection extends HoldingConnection implements ExchangeCarrier {
  private readonly served: ServedApp;
  /** Those whose responses are not over, oldest first. */
  private open: EngineExchange[] = [];
  /** The one whose request's body is being read. */
  private receiving: EngineExchange | undefined;
  /** Bytes of a streamed response since the kernel was last asked. */
  private sinceFlush = 0;
  /** All has been answered, and the kernel has not taken all of it. */
  private restsWhenFlushed = false;

  constructor(host: HttpHost, served: ServedApp, listener: AcceptingListener, id: number) {
    super(host, listener, id);
    this.served = served;
  }

  // --- reading ---

  override readBytes(data: Buffer, start: number, end: number): void {
    let at = start;
    // Whether `data` is a copy: a handler may run the event loop, which then reads into the engine's memory.
    let isOwn = false;
    let isFirst = true;
    while (at < end && !this.closed && !this.isUnreadable) {
      if (this.bodyLeft > 0) {
        at = this.readBody(data, at, end, isOwn);
        continue;
      }
      // The peer has declared that it would send no more.
      if (this.hasReadLast) return;
      const mayServe = this.open.length < MOST_AHEAD && !this.carrier.blocked;
      const head = mayServe && this.isUnwatched ? this.server.scan(this.carrier.engine, data, at, end) : undefined;
      if (head === undefined) {
        this.leave(data, at, end, mayServe);
        return;
      }
      at += head.length;
      if (at < end && !isOwn) {
        [data, at, end] = [copyOf(data, at, end), 0, end - at];
        isOwn = true;
      }
      this.serve(head, isFirst);
      isFirst = false;
    }
  }

  private get isUnwatched(): boolean {
    return isUnwatched(this.server.emitter, this.served);
  }

  /** What follows is not to be served here, or not now. */
  private leave(data: Buffer, at: number, end: number, mayServe: boolean): void {
    const rest = copyOf(data, at, end);
    if (mayServe && this.open.length === 0) {
      this.becomeSocket({ packet: rest, offset: 0 });
      return;
    }
    // It is counted when it is taken again.
    this.bytesRead -= rest.length;
    (this.unread ??= []).unshift(rest);
    this.holdBack(this.open.length > 0 && !this.carrier.blocked);
    if (this.open.length === 0) this.awaitFlush(0);
  }

  /** `isFirst`: of this read, in whose async context it is. */
  private serve(head: PlainHead, isFirst: boolean): void {
    const { method, url: target, rawHeaders, minorVersion, keepsAlive, bodyLength } = head;
    this.stopResting();
    this.restsWhenFlushed = false;
    this.beginMessage(this.takeStart());
    this.requests++;
    // By what tells the handler of its client.
    this.isSocketShown = true;
    this.hasReadLast = !keepsAlive;
    this.bodyLeft = bodyLength;
    const url = urlOf(target, rawHeaders);
    const hasBody = bodyLength > 0;
    const line = { method, url: url ?? '', rawHeaders, minorVersion, keepsAlive, hasBody };
    const exchange = new EngineExchange(this.served.app, this, line);
    this.open.push(exchange);
    this.receiving = hasBody ? exchange : undefined;
    if (url === undefined) exchange.refuse();
    else if (isFirst) exchange.run(infoOf(this.socket));
    // What the handler before it has entered is not its own.
    else this.scope.runInAsyncScope(runExchange, undefined, exchange, infoOf(this.socket));
  }

  private readBody(data: Buffer, at: number, end: number, isOwn: boolean): number {
    const next = Math.min(end, at + this.bodyLeft);
    const body = this.receiving?.body;
    if (body !== undefined && !body.discarded) {
      const isAll = isOwn && at === 0 && next === data.length;
      body.push(isAll ? data : copyOf(data, at, next));
    }
    this.passBody(next - at);
    return next;
  }

  /** A full block, which a body may keep. */
  onBlock(block: Buffer): boolean {
    const body = this.receiving?.body;
    const isNext = !this.closed && !this.paused && !this.isUnreadable && this.unread === undefined;
    const isBody = isNext && this.bodyLeft >= block.length;
    if (!isBody || body === undefined || body.discarded) {
      this.onBytes(block, 0, block.length);
      return false;
    }
    this.bytesRead += block.length;
    this.socket._touch();
    body.push(block);
    this.passBody(block.length);
    return true;
  }

  private passBody(length: number): void {
    this.bodyLeft -= length;
    if (this.bodyLeft > 0) {
      this.updateReading();
      return;
    }
    this.receiving?.body?.end();
    this.receiving = undefined;
    this.updateReading();
    if (this.open.length === 0 && !this.hasReadLast) this.restWhenFlushed();
  }

  protected override updateReading(): void {
    const isFull = this.receiving?.body?.hasRoom === false;
    if (isFull || this.restsHeldBack) this.pause();
    else this.resume();
  }

  /** The handler waits for a body. */
  wants(): void {
    this.updateReading();
  }

  /** The rest of a body is not wanted. */
  abandons(): void {
    this.updateReading();
  }

  /** Node's messages, of which it has none, are read to files. */
  override bodyLeftOf(): number {
    return 0;
  }

  protected override skipBody(): void {
    // There are none.
  }

  protected override readEnd(): void {
    this.peerEnded = true;
    if (this.bodyLeft > 0) {
      this.scope.runInAsyncScope(refuse, undefined, this, endWithinMessageError());
      return;
    }
    this.socket.readable = false;
    this.scope.runInAsyncScope(tellPeerEnd, undefined, this);
  }

  override tellPeerEnd(): void {
    this.socket.emit('end');
    if (this.closed) return;
    const last = this.open.at(-1);
    if (this.ended) this.closeWhenFlushed();
    else if (!this.server.emitter.httpAllowHalfOpen || last === undefined) this.finishWriting();
    else last.keeps = false;
  }

  override breakOff(error: unknown): void {
    report(error);
    this.destroy(undefined);
  }

  // --- responding ---

  get keepAliveTimeout(): number {
    return this.server.emitter.keepAliveTimeout;
  }

  isTurnOf(exchange: EngineExchange): boolean {
    return this.open[0] === exchange;
  }

  private get sends(): boolean {
    return !this.closed && !this.ended;
  }

  sendHead(head: string, body: string | Uint8Array | undefined, isBeyondAscii: boolean): void {
    if (!this.sends) return;
    this.socket._touch();
    let length: number;
    if (typeof body === 'string' && isBeyondAscii) length = this.postChunk(head, Buffer.from(body), '');
    else if (typeof body === 'object' && body.length > 0) length = this.postChunk(head, body, '');
    else length = this.postText(head, typeof body === 'string' ? body : '');
    this.sinceFlush += length;
  }

  private postText(head: string, body: string): number {
    const length = this.carrier.writeWhole(head, body, '', false);
    this.bytesSent += length;
    return length;
  }

  sendPart(before: string, chunk: Uint8Array | undefined, after: string): boolean {
    if (!this.sends) return false;
    this.socket._touch();
    this.sinceFlush += chunk === undefined ? this.post(before, 'latin1') : this.postChunk(before, chunk, after);
    if (this.sinceFlush < this.server.highWaterMark && !this.carrier.blocked) return true;
    // Not before the loop has run: a stream that never waits, and its reader, would have it all.
    this.noteUnflushed();
    return false;
  }

  private postChunk(before: string, chunk: Uint8Array, after: string): number {
    const pieces = [
      { data: before, encoding: 'latin1' },
      { data: chunk, encoding: 'latin1' },
      { data: after, encoding: 'latin1' },
    ] as const;
    return this.postAll(pieces.filter(({ data }) => data.length > 0));
  }

  private noteUnflushed(): void {
    this.awaitFlush(this.sinceFlush);
    this.sinceFlush = 0;
  }

  finished(exchange: EngineExchange): void {
    const { open } = this;
    // It may have been answered out of turn: its connection has been given to others.
    if (open[0] !== exchange) return;
    // As a rule it is the only one.
    if (open.length === 1) open.pop();
    else open.shift();
    if (!exchange.keeps) {
      this.noteUnflushed();
      this.loseAll();
      this.destroySoon();
      return;
    }
    // Little that the kernel has not refused so far is as good as sent.
    if (this.sinceFlush > COPY_LIMIT || this.carrier.blocked) this.noteUnflushed();
    else this.sinceFlush = 0;
    const next = open.at(0);
    if (next !== undefined) {
      next.takeTurn();
      return;
    }
    if (this.bodyLeft === 0) this.restWhenFlushed();
    if (this.isHeldBack && !this.carrier.blocked) this.takeHeldBack();
  }

  private restWhenFlushed(): void {
    const { isFlushed } = this;
    this.restsWhenFlushed = !isFlushed;
    if (isFlushed) this.rest();
  }

  override flushed(): void {
    super.flushed();
    if (this.closed) return;
    const [first] = this.open;
    if (first !== undefined) {
      first.goOn();
      return;
    }
    if (this.restsWhenFlushed && this.bodyLeft === 0) this.restWhenFlushed();
    if (this.isHeldBack) this.takeHeldBack();
  }

  // --- ending ---

  /** The client will not see their responses. */
  private loseAll(): void {
    const { open } = this;
    if (open.length === 0) return;
    this.open = [];
    const error = this.failure ?? abortedError();
    const lost = open.filter((exchange) => exchange.loseClient(error));
    // Not within a call of the program's.
    process.nextTick(tellLosses, this, lost);
  }

  tellLosses(lost: readonly EngineExchange[]): void {
    this.scope.runInAsyncScope(() => {
      for (const exchange of lost) exchange.tellLoss();
    });
  }

  protected override closeWhenFlushed(): void {
    // What has been sent without waiting for it.
    if (!this.closed) this.carrier.flush();
    super.closeWhenFlushed();
  }

  protected override release(): void {
    this.forgetAhead();
    this.loseAll();
    super.release();
  }

  get isIdle(): boolean {
    return this.requests > 0 && this.open.length === 0 && this.bodyLeft === 0 && this.isFlushed;
  }

  protected override get isAnswered(): boolean {
    return this.open.length === 0 && this.bodyLeft === 0;
  }

  protected override get isReceiving(): boolean {
    return this.bodyLeft > 0;
  }

  protected override get isBroken(): boolean {
    return false;
  }

  protected override get isAnswering(): boolean {
    return this.open[0]?.hasBegun === true;
  }

  // --- becoming a socket ---

  /** Node's own code serves what follows. If a program has wanted that, it has no response to expect. */
  becomeSocket(read?: PartlyRead, hasEnded = false): void {
    if (this.closed || !isStandIn(this.socket)) return;
    this.forgetAhead();
    this.loseAll();
    this.turnInto({
      exchanges: [],
      answered: undefined,
      receiving: undefined,
      bodySeen: 0,
      read,
      hasEnded,
      broken: undefined,
    });
  }
}

function runExchange(exchange: EngineExchange, info: ReturnType<typeof infoOf>): void {
  exchange.run(info);
}

function refuse(connection: FetchConnection, error: Error): void {
  connection.refuseMessage(error);
}

function tellPeerEnd(connection: FetchConnection): void {
  connection.tellPeerEnd();
}

function tellLosses(connection: FetchConnection, lost: readonly EngineExchange[]): void {
  connection.tellLosses(lost);
}
