/**
 * The writing half of the connection under a `Socket`: the stream's writes and its end. State that both halves use is
 * here, because the reading half extends this one.
 */
import { constants } from 'node:os';
import type { WritePart } from '../binding/file-range.js';
import { EngineConnection } from '../engine/connection.js';
import type { Engine } from '../engine/engine.js';
import { errnoError, writeError } from '../errors/index.js';
import { runTicks } from '../node/run-ticks.js';
import { type WriteCallback, writableState } from '../node/stream-state.js';
import { CANCELLED_WRITES_FAIL } from '../runtime/version.js';
import { socketScope, Waiter, WaiterQueue, type Scope } from './async-scopes.js';
import type { ConnectedSocket, StreamReader, Unread } from './connected-socket.js';
import { tellDrained } from './drain.js';
import { RareState } from './rare-state.js';
import type { Feeder, Sink } from './sink.js';

const ECANCELED = -constants.errno.ECANCELED;
const ENOTCONN = -constants.errno.ENOTCONN;

function callSettled(connection: WritingConnection): void {
  connection.callSettled();
}

export function destroy(socket: ConnectedSocket, error: Error): void {
  socket.destroy(error);
}

export abstract class WritingConnection extends EngineConnection {
  readonly nodeTicks = true;
  readonly socket: ConnectedSocket;
  /** The async context of the socket's events. */
  scope: Scope;
  readonly tcp: boolean;
  bytesWritten = 0;
  /**
   * @internal Data read in the same turn as the chunk that made the stream stop; given to it item by item as it reads
   *   on.
   */
  unread: Unread[] | undefined;
  /** Set where the stream has one. */
  reader: StreamReader | undefined;
  /** Callbacks of writes that are queued on the connection. Usually there are none. */
  private waiters: WaiterQueue | undefined;
  /** The stream's write that the kernel has not taken completely. */
  private blockedWrite: Waiter | undefined;
  private shutdownDone: Waiter | undefined;
  protected rare: RareState | undefined;

  constructor(engine: Engine, id: number, socket: ConnectedSocket, scope: Scope, tcp: boolean) {
    super(engine, id);
    this.socket = socket;
    this.scope = scope;
    this.tcp = tcp;
  }

  /** From here on, the socket's events run in the async context of this call. */
  renewScope(): void {
    this.scope.end();
    this.scope = socketScope();
  }

  /**
   * The destination and the source of bytes that are moved natively: what this socket receives goes to the sink, and
   * what it sends comes from the feeder.
   */
  get sink(): Sink | undefined {
    return this.rare?.sink;
  }

  set sink(sink: Sink | undefined) {
    (this.rare ??= new RareState()).sink = sink;
  }

  get feeder(): Feeder | undefined {
    return this.rare?.feeder;
  }

  set feeder(feeder: Feeder | undefined) {
    (this.rare ??= new RareState()).feeder = feeder;
  }

  /** It was closed while a write was pending. */
  get cut(): boolean {
    return this.rare?.cut === true;
  }

  /** @internal */
  stopSplices(): void {
    this.sink?.stop();
    this.feeder?.stop();
  }

  /** Calls back, in the caller's async context, when the kernel has taken everything written so far. */
  whenFlushed(callback: WriteCallback): void {
    this.addWaiter(new Waiter(callback));
    this.notifyFlushed();
  }

  private addWaiter(waiter: Waiter): void {
    (this.waiters ??= new WaiterQueue()).push(waiter);
  }

  private get awaited(): boolean {
    return this.waiters?.isEmpty === false;
  }

  /** Whether the stream's write is completely in the connection's queue, or in the kernel. */
  get sendsWrite(): boolean {
    return this.blockedWrite !== undefined;
  }

  /** Sends these parts now; calls back when the kernel has taken all of them. */
  send(parts: readonly Uint8Array[], callback: WriteCallback): void {
    this.noteSent(this.writeLent(parts), parts, callback);
  }

  /** The same with files among them. */
  sendParts(parts: readonly WritePart[], callback: WriteCallback): void {
    this.noteSent(this.writeParts(parts), parts, callback);
  }

  /** Records the outcome of one of the stream's writes: bytes that the kernel has not taken, or a negative errno. */
  noteSent(left: number, parts: readonly WritePart[], callback: WriteCallback): void {
    if (left < 0) {
      callback(writeError(left));
      return;
    }
    // Earlier writes, which the kernel took together with these parts, call back before this one.
    if (this.awaited && left <= lengthOf(parts)) this.callWaitersLater();
    if (this.blocked) {
      (this.rare ??= new RareState()).lastQueued = left;
      this.blockedWrite = new Waiter(callback);
    } else {
      callback();
    }
  }

  /**
   * Whether the peer has read pending bytes since the last call, or since they were written. For small writes that the
   * kernel has not taken, their number at that time is unknown: the first call assumes progress.
   */
  hasSent(): boolean {
    if (!this.blocked) return false;
    const { queued } = this;
    const rare = (this.rare ??= new RareState());
    const less = queued !== rare.lastQueued;
    rare.lastQueued = queued;
    return less;
  }

  /**
   * As finish(), but leaves the FIN to a close() that follows at once. Returns false, and does nothing, if the peer
   * might then see something other than a FIN, or nothing because another process has the socket.
   */
  finishByClose(callback: WriteCallback): boolean {
    if (this.rare?.shared === true || !this.hasSentAll) return false;
    if (this.reader?.isAmidRead === true) {
      // Node's FIN calls back at this point: the rest of the current read then finds the socket still open.
      this.shutdownDone = new Waiter(() => {
        if (!this.finishByClose(callback)) this.finish(callback);
      });
      this.engine.tellShutdown(this, 0);
      return true;
    }
    // With unread bytes the kernel would send a reset.
    if (this.engine.native.unread(this.id) !== 0) return false;
    callback();
    return true;
  }

  /** Whether the kernel has taken all writes, and everything read has been delivered. Hands over to find out. */
  private get hasSentAll(): boolean {
    if (!this.open || this.feeder !== undefined || this.unread !== undefined) return false;
    this.flush();
    return !this.blocked && !this.failed && !this.awaited;
  }

  /** Sends FIN; calls back when that is done. */
  finish(callback: WriteCallback): void {
    if (!this.open) {
      // Another process has the socket.
      callback();
      return;
    }
    this.feeder?.stop();
    this.shutdownDone = new Waiter(callback);
    this.shutdown();
  }

  onFlushed(): void {
    this.waiters?.settle();
    this.callSettled();
  }

  /** @internal Calls the settled waiters. A stream emits 'drain' before it calls back. */
  callSettled(): void {
    const { waiters, socket } = this;
    if (writableState(socket).needDrain) waiters?.first?.run(tellDrained, socket);
    waiters?.callSettled();
  }

  onDrain(): void {
    this.socket._idle?.touch();
    const write = this.blockedWrite;
    this.blockedWrite = undefined;
    write?.call(null);
  }

  onWriteError(errno: number): void {
    this.failed = true;
    this.feeder?.stop();
    const error = writeError(errno);
    this.callWaiters(error);
    const write = this.blockedWrite;
    this.blockedWrite = undefined;
    // The stream destroys itself when one of its writes fails, after that write's callback.
    if (write !== undefined) write.call(error);
    this.scope.run(destroy, this.socket, error);
  }

  onShutdown(status: number): void {
    // The failed write is reported at the end of this turn, and 'finish' is not emitted.
    if (this.failed) return;
    // Writes before the FIN call back before it.
    this.callWaiters(null);
    const done = this.shutdownDone;
    this.shutdownDone = undefined;
    done?.call(status < 0 && status !== ENOTCONN ? errnoError(status, 'shutdown') : null);
  }

  private callWaiters(error: Error | null): void {
    if (!this.awaited) return;
    this.awaitingFlush = false;
    this.waiters?.callAll(error);
  }

  /** Keeps the callback of a stream write that never reached the connection: it is called like the others. */
  holdWrite(callback: WriteCallback): void {
    this.blockedWrite = new Waiter(callback);
  }

  /** Settled waiters are called on the next tick. */
  private callWaitersLater(): void {
    this.waiters?.settle();
    process.nextTick(callSettled, this);
  }

  /**
   * Hands over what is queued. Writes that the kernel has taken call back on the next tick: before any effect of the
   * stream's next call.
   */
  settleSoon(): void {
    if (!this.awaited && this.blockedWrite === undefined) return;
    if (this.hasDrained()) this.callBackLater();
  }

  /** Closes for good. Writes that the kernel has taken call back on the next tick, the others by `cancelWrites`. */
  closeNow(reset: boolean): void {
    this.stopSplices();
    this.unread = undefined;
    this.settleSoon();
    this.shutdownDone?.end();
    this.shutdownDone = undefined;
    this.close(reset);
  }

  /** @internal Pending writes, which the kernel has completely taken by now, call back on the next tick. */
  callBackLater(): void {
    if (this.blockedWrite !== undefined) this.addWaiter(this.blockedWrite);
    this.blockedWrite = undefined;
    this.callWaitersLater();
  }

  /** Calls back for writes that were pending when the connection was closed; just before 'close', as in node. */
  cancelWrites(): void {
    const { blockedWrite } = this;
    if (blockedWrite !== undefined) this.addWaiter(blockedWrite);
    this.blockedWrite = undefined;
    if (!this.awaited) return;
    (this.rare ??= new RareState()).cut = true;
    this.waiters?.callAll(CANCELLED_WRITES_FAIL ? errnoError(ECANCELED, 'write') : null);
    runTicks();
  }
}

function lengthOf(parts: readonly WritePart[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}
