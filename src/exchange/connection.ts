/**
 * The connection under a server's requests: what is written to it, and its end. What its bytes mean, and what follows a
 * response, is its protocol's matter: see OneRequestConnection, and http/connection.ts.
 */
import type { AsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import { writeDestroyedError } from '../errors/index.js';
import { detachSignal, NO_CALLBACKS, settleEnd, type EndCallback } from '../node/http-messages.js';
import { isHeard } from '../node/is-heard.js';
import { currentSpan, markSpan } from '../node/run-ticks.js';
import type { WriteCallback } from '../node/stream-state.js';
import { closes, type CloseEvent } from '../stats/events.js';
import type { Carrier, CarrierOwner, Piece } from './carrier.js';
import { captureScope } from './context.js';
import type { ConnectionContract, Incoming, Outgoing, ServerContract, StandIn } from './contracts.js';
import {
  closeResponse,
  endsUnheard,
  leaveRequest,
  tellEnded,
  tellFailed,
  tellIdle,
  type Ended,
  type Pending,
} from './ending.js';
import type { Exchange } from './exchange.js';
import { tellEach } from './tell-each.js';
import { tellFinished } from './telling.js';
import { tellFlushed, tellingAll } from './writers.js';

export abstract class Connection<Server extends ServerContract = ServerContract>
  implements CarrierOwner, ConnectionContract
{
  readonly server: Server;
  readonly carrier: Carrier;
  abstract readonly socket: StandIn;
  /** Its index in the server's list. */
  place = -1;
  closed = false;
  ended = false;
  owesDrain = false;
  /** Bytes that the carrier has been given. */
  protected bytesSent = 0;
  /** The one whose response owns the socket. */
  protected current: Exchange | undefined;
  /**
   * Context that the listeners of one connection enter (`AsyncLocalStorage.enterWith`) is not visible to those of
   * another.
   */
  protected readonly scope = captureScope();
  protected peerEnded = false;
  protected paused = false;
  /** The error that ended it. */
  protected failure: Error | undefined;
  /** As in node: the outcome of writes is reported in the context of the last of them. */
  private writeScope: AsyncResource | undefined;
  /** Callbacks of writes since the last flush. */
  private callbacks: WriteCallback[] | undefined;
  /** Bytes written since the last flush, except a response written whole. */
  private unflushed = 0;
  /** Close as soon as the kernel has taken all writes. */
  private closing = false;
  /** The kernel had taken all writes when it was closed. */
  protected allHasLeft = false;

  constructor(server: Server, carrier: Carrier) {
    this.server = server;
    this.carrier = carrier;
    carrier.owner = this;
  }

  // --- what a protocol adds ---

  abstract onBytes(data: Buffer, start: number, end: number): void;

  abstract onPeerEnd(): void;

  /** The kernel has taken the whole response, and its listeners are about to be told. */
  protected abstract afterResponse(exchange: Exchange): void;

  /** No more will be written. */
  abstract finishWriting(): void;

  /** The requests and responses that are not over. */
  protected abstract pending(): Pending;

  /** Whether its end is nothing to tell: all has been answered. */
  protected abstract readonly isAnswered: boolean;

  /** Has it forgotten by its server. */
  protected abstract release(): void;

  /** Whether its failure is still to be emitted as 'clientError'. */
  protected get tellsClientError(): boolean {
    return true;
  }

  /** A write that the protocol does not send. */
  protected isUnwanted?(data: string | Uint8Array, encoding: BufferEncoding): boolean;

  // --- reading ---

  pause(): void {
    if (this.paused || this.closed) return;
    this.paused = true;
    this.carrier.pause();
  }

  /** The program reads the request. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (!this.closed) this.carrier.resume();
  }

  onFailure(error: Error | undefined): void {
    this.destroy(error);
  }

  // --- writing ---

  write(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean {
    const { carrier } = this;
    this.beginWrite(callback);
    if (this.isUnwanted?.(data, encoding) === true) return true;
    return this.noteSent(carrier.write(data, encoding));
  }

  /** Several writes, which leave together. */
  protected writeAll(writes: readonly (Piece & { readonly callback: WriteCallback | undefined })[]): boolean {
    for (const { callback } of writes) this.beginWrite(callback);
    return this.noteSent(this.carrier.writeAll(writes));
  }

  private beginWrite(callback: WriteCallback | undefined): void {
    this.socket._touch();
    this.writeScope = captureScope();
    if (callback !== undefined) (this.callbacks ??= []).push(callback);
    this.carrier.notifyFlushed();
  }

  /** Returns whether there is room for more. */
  protected noteSent(length: number): boolean {
    this.unflushed += length;
    this.bytesSent += length;
    if (this.waitingBytes < this.server.highWaterMark) return true;
    this.owesDrain = true;
    return false;
  }

  /** As `write`, for bytes that no callback waits for. Returns their number. */
  protected post(data: string | Uint8Array, encoding: BufferEncoding): number {
    const length = this.carrier.write(data, encoding);
    this.bytesSent += length;
    return length;
  }

  /** As `post`, for pieces that leave together. */
  protected postAll(pieces: readonly Piece[]): number {
    const length = this.carrier.writeAll(pieces);
    this.bytesSent += length;
    return length;
  }

  /** So many bytes of `post` are on their way, until `flushed` is called. */
  protected awaitFlush(length: number): void {
    this.unflushed += length;
    this.carrier.notifyFlushed();
  }

  /** Calls back when the kernel has taken what the carrier has been given. */
  protected whenFlushed(callback: WriteCallback): void {
    this.writeScope = captureScope();
    (this.callbacks ??= []).push(callback);
    this.carrier.notifyFlushed();
  }

  writeWhole(head: string, body: string | Uint8Array, tail: string, isAscii: boolean): void {
    const { carrier, current } = this;
    this.socket._touch();
    if (current !== undefined) {
      current.whole = true;
      current.endedIn = markSpan();
    }
    this.writeScope = captureScope();
    this.bytesSent += carrier.writeWhole(head, body, tail, isAscii);
    carrier.notifyFlushed();
    carrier.uncorked();
  }

  get waitingBytes(): number {
    const { carrier } = this;
    if (this.closed || !carrier.blocked) return this.unflushed;
    carrier.flush();
    return carrier.queued;
  }

  /**
   * A response that the kernel has taken is over at the end of the turn; as in node, earlier where something waits for
   * that: another response, another read, or a program that goes on with it. Returns false if there is none.
   */
  finishWritten(): boolean {
    if (this.closed || this.carrier.takeFlushed?.() !== true) return false;
    this.onFlushed();
    return true;
  }

  /** A response that ended before ticks were run is over in node. Returns whether one is now. */
  finishEnded(): boolean {
    const { current } = this;
    return current !== undefined && current.endedIn !== 0 && current.endedIn !== currentSpan() && this.finishWritten();
  }

  onFlushed(): void {
    const scope = this.writeScope ?? this.scope;
    this.writeScope = undefined;
    // A context is entered for what the program has there: without, a request takes a twentieth less.
    if (this.isFlushUnheard) this.flushed();
    else scope.runInAsyncScope(flushed, undefined, this);
  }

  /** Whether nothing of the program's is called when the kernel has taken what has been written. */
  protected get isFlushUnheard(): boolean {
    const { current, callbacks, owesDrain, server } = this;
    return callbacks === undefined && !owesDrain && current?.whole === true && endsUnheard(current, server);
  }

  flushed(): void {
    // The values of now: callbacks may write again.
    const { callbacks, owesDrain, closing, current } = this;
    const whole = current?.whole === true ? current : undefined;
    this.unflushed = 0;
    if (whole !== undefined) whole.whole = false;
    if (callbacks === undefined && !owesDrain) {
      this.settleFlush(whole, closing);
      return;
    }
    this.callbacks = undefined;
    this.owesDrain = false;
    tellFlushed(this.socket, current?.response, callbacks ?? [], owesDrain, () => {
      this.settleFlush(whole, closing);
    });
  }

  private settleFlush(whole: Exchange | undefined, closing: boolean): void {
    const error = this.closed && !this.allHasLeft ? (this.failure ?? writeDestroyedError()) : null;
    const callbacks = whole === undefined ? NO_CALLBACKS : settleEnd(whole.response, error);
    const finished = error === null ? whole : undefined;
    if (callbacks.length === 0) this.tellFlush(finished, closing);
    else {
      const rest = (): void => {
        this.tellFlush(finished, closing);
      };
      tellEach([...tellingAll(callbacks, error), rest]);
    }
  }

  private tellFlush(finished: Exchange | undefined, closing: boolean): void {
    if (finished !== undefined) this.finish(finished);
    if (closing) this.closeFlushed();
    if (finished !== undefined && isHeard(finished.response)) finished.response.emit('finish');
  }

  awaitFinish(response: Outgoing): void {
    const { current } = this;
    if (current?.response !== response) return;
    current.endedIn = markSpan();
    this.awaitFinishOf(current);
  }

  protected awaitFinishOf(exchange: Exchange): void {
    if (exchange.awaitsFinish) return;
    exchange.awaitsFinish = true;
    const { response } = exchange;
    response.prependOnceListener('finish', () => {
      const isOpen = !this.closed || this.allHasLeft;
      if (isOpen && this.socket._httpMessage === response) this.finish(exchange);
    });
  }

  /** The kernel has taken the whole response. */
  private finish(exchange: Exchange): void {
    const { request, response } = exchange;
    const { socket } = this;
    tellFinished(request, response, socket, this.server.emitter);
    // A subscriber of the channel has run. Node insists that the response still has the socket.
    if (exchange.isAssigned && socket._httpMessage === response) response.detachSocket(socket as never);
    socket._httpMessage = null;
    response.socket = null;
    detachSignal(request);
    leaveRequest(request);
    // As in node: 'close' comes a tick after 'finish'.
    if (isHeard(response)) process.nextTick(closeResponse, response);
    else closeResponse(response);
    this.current = undefined;
    this.afterResponse(exchange);
  }

  /** The kernel has taken all writes. */
  protected get isFlushed(): boolean {
    return this.unflushed === 0 && this.current?.whole !== true && !this.carrier.blocked;
  }

  protected closeWhenFlushed(): void {
    if (this.closed) return;
    if (this.isFlushed) {
      this.closeFlushed();
    } else {
      this.closing = true;
      this.carrier.notifyFlushed();
    }
  }

  private closeFlushed(): void {
    this.carrier.finish?.();
    this.close();
  }

  // --- ending ---

  onIdle(): void {
    // As in node: a peer that reads slowly is not idle.
    if (this.carrier.hasSent?.() === true) {
      this.socket._touch();
      return;
    }
    this.scope.runInAsyncScope(() => {
      const { request, response } = this.idleMessages;
      if (!tellIdle({ request, response, server: this.server, socket: this.socket })) this.close();
    });
  }

  /** The request and the response on which 'timeout' is emitted. */
  protected get idleMessages(): { request: Incoming | undefined; response: Outgoing | undefined } {
    return { request: this.current?.request, response: this.current?.response };
  }

  destroy(error: Error | undefined): void {
    if (this.closed || this.isDestroyedLate()) return;
    if (error !== undefined) {
      this.failure ??= error;
      this.socket._hadError = true;
    }
    this.close();
  }

  /** Whether it is the response that a program has destroyed, and in node that would be over, and have no socket. */
  protected isDestroyedLate(): boolean {
    const { response } = this.current ?? {};
    const isResponse = response?.destroyed === true && !response._closed;
    return this.finishEnded() && isResponse;
  }

  close(): void {
    if (this.closed) return;
    const event = closes.hasSubscribers ? this.closeEvent() : undefined;
    this.allHasLeft = this.failure === undefined && this.carrier.hasLeft();
    this.closed = true;
    this.carrier.destroy();
    this.ended = true;
    this.socket._close();
    if (this.allHasLeft) this.tellLeft();
    this.release();
    const { socket, callbacks } = this;
    const isQuiet = this.isAnswered && !socket._hadError && socket.listenerCount('close') === 0;
    if (isQuiet && callbacks === undefined && event === undefined) return;
    const { server, failure } = this;
    this.callbacks = undefined;
    const lost = [...(callbacks ?? []), ...this.endCallbacks()];
    const pending = (): Pending => this.pending();
    const { tellsClientError } = this;
    const ended: Ended = { server, socket, pending, failure, callbacks: lost, event, tellsClientError };
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

  /** As in node: that the kernel has taken the writes is reported a tick later, whether the connection is open by then or not. */
  private tellLeft(): void {
    const { callbacks = [], current, writeScope = this.scope } = this;
    const whole = current?.whole === true ? current : undefined;
    if (whole !== undefined) whole.whole = false;
    this.callbacks = this.writeScope = undefined;
    this.unflushed = 0;
    process.nextTick(() => {
      writeScope.runInAsyncScope(tellEach, undefined, [
        ...tellingAll(callbacks, null),
        () => {
          this.settleFlush(whole, false);
        },
      ]);
    });
  }

  /** The callback of a write that will never reach the kernel. */
  protected loseWrite(callback: WriteCallback): void {
    (this.callbacks ??= []).push(callback);
  }

  /** The callbacks of writes since the last flush, which are no longer its matter. */
  protected takeCallbacks(): readonly WriteCallback[] {
    const { callbacks = [] } = this;
    this.callbacks = undefined;
    return callbacks;
  }

  /** The `end()` callbacks of a response that was written whole and will never reach the kernel. */
  private endCallbacks(): readonly EndCallback[] {
    const { current, failure } = this;
    if (current?.whole !== true) return NO_CALLBACKS;
    current.whole = false;
    return settleEnd(current.response, failure ?? writeDestroyedError());
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
    return stats === undefined ? undefined : { server: server.emitter, socket, stats };
  }
}

function flushed(connection: Connection): void {
  connection.flushed();
}
