/**
 * A connection of an `http.Server`, as far as its responses go. They own the connection one after another: as in node,
 * those to requests that came before an earlier one was answered wait in `queue`.
 */
import type { FileRange } from '../binding/file-range.js';
import { writeDestroyedError, writeError } from '../errors/index.js';
import type { NativeCarrier } from '../exchange/native-carrier.js';
import { Connection } from '../exchange/connection.js';
import type { HostedConnection } from '../exchange/contracts.js';
import type { Pending } from '../exchange/ending.js';
import type { Exchange } from '../exchange/exchange.js';
import { isBeyondAscii } from '../exchange/header-lines.js';
import { endsShort } from '../exchange/response.js';
import { report } from '../net/async-scopes.js';
import { keepAliveBufferOf } from '../node/http-server.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { HttpHost } from './host.js';
import type { HttpSocket } from './http-socket.js';
import { KeepAliveTimer } from './keep-alive-timer.js';
import { setIdleTime } from './stand-in-options.js';

/** A write to a corked socket. */
interface HeldWrite {
  data: string | Uint8Array;
  encoding: BufferEncoding;
  callback: WriteCallback | undefined;
}

export abstract class PipelinedConnection extends Connection<HttpHost> implements HostedConnection {
  declare readonly carrier: NativeCarrier;
  abstract override readonly socket: HttpSocket;
  /** Responses that do not own the connection yet, oldest first. */
  protected queue: Exchange[] | undefined;
  /** It closes as soon as all has left. */
  protected endsSoon = false;
  /** Writes of a corked socket, and their bytes. */
  protected held: HeldWrite[] | undefined;
  heldBytes = 0;
  protected keepAlive: KeepAliveTimer | undefined;
  /** Bytes in `queue`: more than `highWaterMark` stop the reading of requests. */
  private queuedBytes = 0;

  /** Whether it is within a read. */
  protected abstract readonly isAmidRead: boolean;

  /** Whether the peer may have sent what has not been read. */
  protected abstract readonly mayHaveUnread: boolean;

  abstract readonly isIdle: boolean;

  abstract checkTime(now: number, headersTimeout: number, requestTimeout: number): void;

  // --- requests that are ahead ---

  /** The response owns the connection, or waits for it. */
  protected admit(exchange: Exchange): void {
    if (this.current === undefined) this.assign(exchange);
    else this.enqueue(exchange);
  }

  private enqueue(exchange: Exchange): void {
    (this.queue ??= []).push(exchange);
    if (this.current !== undefined) this.current.isShared = true;
    process.nextTick(finishWritten, this);
  }

  /** As in node: a peer that does not read its responses, or sends many requests ahead, is not read further. */
  protected limitReading(): void {
    const { socket } = this;
    if (socket._paused || (!this.owesDrain && this.queuedBytes < this.server.highWaterMark)) return;
    socket._paused = true;
    this.pause();
  }

  protected readonly onPendingData = (delta: number): void => {
    this.queuedBytes += delta;
    const { socket } = this;
    if (!socket._paused || this.queuedBytes > this.server.highWaterMark) return;
    socket._paused = false;
    this.resume();
  };

  onDrained(): void {
    this.onPendingData(0);
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

  protected override noteSent(length: number): boolean {
    const { current } = this;
    // What is written before the headers is not the response: a 1xx one, or bytes of the program's own.
    if (current?.response._headerSent === false) current.sentBefore += length;
    return super.noteSent(length);
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
    if (!this.closed) this.writeAll(held);
  }

  get hasSentAll(): boolean {
    return this.held === undefined && this.carrier.hasDrained();
  }

  override get waitingBytes(): number {
    return super.waitingBytes + this.heldBytes;
  }

  override writeWhole(head: string, body: string | Uint8Array, tail: string, isAscii: boolean): void {
    const { _outline: outline } = this.socket;
    if (outline !== undefined) outline.corked = 0;
    this.sendHeld();
    super.writeWhole(head, body, tail, isAscii);
  }

  /**
   * Sends part of a file, and calls back when the kernel has taken it. Returns false, and does nothing, if that takes a
   * stream: the socket is corked.
   */
  writeRange(range: FileRange, callback: WriteCallback): boolean {
    if (this.closed) {
      callback(writeDestroyedError());
      return true;
    }
    if (this.socket.writableCorked > 0) return false;
    this.socket._touch();
    const left = this.carrier.writeRange(range);
    this.bytesSent += range.length;
    if (left > 0) this.whenFlushed(callback);
    else callback(left < 0 ? writeError(left) : null);
    return true;
  }

  override onFlushed(): void {
    try {
      super.onFlushed();
    } catch (error) {
      report(error);
    }
  }

  /** The next response may be whole, and is sent then. */
  protected override get isFlushUnheard(): boolean {
    return (this.queue === undefined || this.queue.length === 0) && super.isFlushUnheard;
  }

  protected override afterResponse(exchange: Exchange): void {
    if (this.closed) {
      // As in node: the next one gets the connection all the same, and is notified of its end.
      this.current = this.queue?.shift();
      return;
    }
    if (exchange.response._last || this.hasWrongLength(exchange)) {
      this.destroySoon();
      return;
    }
    const next = this.queue?.[0];
    if (next === undefined) this.rest();
    else this.assignNext(next);
  }

  /** The oldest of the queue gets the connection. */
  protected assignNext(next: Exchange): void {
    this.queue?.shift();
    this.current = next;
    next.isShared ||= this.queue !== undefined && this.queue.length > 0;
    next.sentBefore = this.bytesSent;
    this.awaitFinishOf(next);
    next.isAssigned = true;
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
    return !isBeyondAscii(head);
  }

  /** All requests that have been read are answered. */
  protected rest(): void {
    const { emitter } = this.server;
    const { keepAliveTimeout } = emitter;
    if (!(keepAliveTimeout > 0) || !Number.isFinite(keepAliveTimeout)) return;
    if (this.socket._timer !== undefined) setIdleTime(this.socket, 0);
    (this.keepAlive ??= new KeepAliveTimer(this)).begin(keepAliveTimeout + keepAliveBufferOf(emitter));
  }

  /** A request has come. */
  protected stopResting(): void {
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

  reset(): void {
    this.carrier.resets = true;
    this.destroy(undefined);
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
}

function finishWritten(connection: PipelinedConnection): void {
  connection.finishWritten();
}

function closeSoon(connection: PipelinedConnection): void {
  connection.closeSoon();
}
