/** The connection under a `Socket`: turns what happens to it into what the stream does. */
import type * as net from 'node:net';
import { constants } from 'node:os';
import type { Engine } from '../engine/engine.js';
import { errnoError, writeError } from '../errors/index.js';
import type { WritePart } from '../binding/file-range.js';
import { CANCELLED_WRITES_FAIL } from '../runtime/version.js';
import { copyOf } from '../memory/own-memory.js';
import { runTicks } from '../node/run-ticks.js';
import { EngineConnection } from '../engine/connection.js';
import { socketScope, Waiter, WaiterQueue, type Scope } from './async-scopes.js';
import { deliver, endReading, passesStream } from './delivery.js';
import { tellDrained } from './drain.js';
import type { IdleTimer } from './idle-timer.js';
import type { Onread } from './onread.js';
import type { Feeder, Sink } from './sink.js';
import { RareState } from './rare-state.js';
import type { HeldWrite, ReadableStateView, WritableStateView, WriteCallback } from '../node/stream-state.js';

/** What a connection uses of its socket. */
export interface ConnectedSocket extends net.Socket {
  readonly _readableState: ReadableStateView;
  readonly _writableState: WritableStateView;
  /** Where reads go, if that is a buffer of the program's. */
  _onread?: Onread;
  _idle: IdleTimer | undefined;
  readonly _held: readonly HeldWrite[] | undefined;
  /** It keeps no process alive. */
  _unreferenced: boolean;
  /** The server that accepted it, for programs. */
  server: unknown;
}

/** Who is told how a connection attempt came out. */
export interface AttemptOwner {
  attemptDone(connection: SocketConnection, status: number): void;
}

/** Milliseconds: a batch of quick handlers. */
const CLOSING_MOMENT = 1;

const ECANCELED = -constants.errno.ECANCELED;
const ENOTCONN = -constants.errno.ENOTCONN;

function tellOnread(onread: Onread, connection: SocketConnection, length: number): void {
  onread.tell(connection, length);
}

/** Who can do without a chunk, as long as the stream has nobody else to give it to. */
export interface InPlaceReader {
  /** The peer's last message has been read: it has said so itself. */
  readonly hasReadLast: boolean;
  /** Ticks run, and there may be more behind them of what has been read. */
  readonly isAmidRead: boolean;
  /** It still reads this socket, and nobody else does. */
  readonly isOnlyReader: boolean;
  /** Nothing is to be read, whoever resumes the socket. */
  readonly rests: boolean;
  /**
   * Takes `memory[start..end)`, which is the engine's again behind this call. False: nothing has been done, and the stream is
   * to be given a chunk.
   */
  takeInPlace(memory: Buffer, start: number, end: number): boolean;
  /** The next so many bytes belong to a body that it reads. */
  awaitsBody(length: number): boolean;
}

function takeInPlace(reader: InPlaceReader, memory: Buffer, start: number, end: number): boolean {
  return reader.takeInPlace(memory, start, end);
}

/** A chunk, the end, or a negative errno. */
type Unread = Buffer | number | undefined;

export function giveUnread(connection: SocketConnection): void {
  connection.giveUnread();
}

function callSettled(connection: SocketConnection): void {
  connection.callSettled();
}

function destroy(socket: ConnectedSocket, error: Error): void {
  socket.destroy(error);
}

function tellAttempt(attempt: AttemptOwner, connection: SocketConnection, status: number): void {
  attempt.attemptDone(connection, status);
}

export class SocketConnection extends EngineConnection {
  readonly nodeTicks = true;
  readonly socket: ConnectedSocket;
  /** The async context of the socket's events. */
  scope: Scope;
  readonly tcp: boolean;
  /** Still connecting: who is told of the outcome. */
  attempt: AttemptOwner | undefined;
  bytesRead = 0;
  bytesWritten = 0;
  /** Callbacks of writes that are queued on the connection. Most connections have none, most of the time. */
  private waiters: WaiterQueue | undefined;
  /** The stream's write that the kernel has not taken all of. */
  private blockedWrite: Waiter | undefined;
  private shutdownDone: Waiter | undefined;
  /** @internal */
  reading: boolean;
  /** @internal Read in the same turn as the chunk that made the stream stop: given to it one by one as it reads on. */
  unread: Unread[] | undefined;
  /** The stream has had a chunk by way of push(), which leaves traces that later ones need not renew. */
  pushed = false;
  /** Of a connection whose requests are read where they lie. */
  inPlace: InPlaceReader | undefined;
  private rare: RareState | undefined;

  constructor(engine: Engine, id: number, socket: ConnectedSocket, scope: Scope, tcp: boolean, reading: boolean) {
    super(engine, id);
    this.socket = socket;
    this.scope = scope;
    this.tcp = tcp;
    this.reading = reading;
  }

  /** From here on the socket's events run in the async context of this call. */
  renewScope(): void {
    this.scope.end();
    this.scope = socketScope();
  }

  /** What runs below the stream: where what this socket receives goes, and where what it sends comes from. */
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

  /** Closed while a write was under way. */
  get cut(): boolean {
    return this.rare?.cut === true;
  }

  // --- reading ---

  override onInbox(memory: Buffer, start: number, end: number): void {
    // Ticks that came first may have stopped the stream.
    if (!this.takesInPlace(memory, start, end) && this.open) this.receive(copyOf(memory, start, end));
  }

  override onBlock(block: Buffer): boolean {
    // A piece of a body is given on as it is.
    if (this.inPlace?.awaitsBody(block.length) !== true && this.takesInPlace(block, 0, block.length)) return false;
    if (!this.open) return false;
    this.receive(block);
    return true;
  }

  private takesInPlace(memory: Buffer, start: number, end: number): boolean {
    if (this.inPlace === undefined || !this.givesOn || !passesStream(this)) return false;
    this.bytesRead += end - start;
    this.socket._idle?.touch();
    if (this.scope.runInAsyncScope(takeInPlace, undefined, this.inPlace, memory, start, end)) {
      // As a first push() notes it.
      if (!this.pushed) this.socket._readableState.dataEmitted = true;
      return true;
    }
    this.bytesRead -= end - start;
    return false;
  }

  private receive(chunk: Buffer): void {
    if (!this.reading || this.unread !== undefined) {
      (this.unread ??= []).push(chunk);
      return;
    }
    this.take(chunk);
  }

  override onInto(length: number): void {
    this.bytesRead += length;
    this.socket._idle?.touch();
    const { _onread: onread } = this.socket;
    if (onread !== undefined) this.scope.run(tellOnread, onread, this, length);
  }

  stopReading(): void {
    if (!this.reading) return;
    this.reading = false;
    this.pause();
  }

  startReading(): void {
    if (this.reading) return;
    this.reading = true;
    this.readOn();
  }

  /** What comes from the kernel next is to be given to the stream at once. */
  get givesOn(): boolean {
    return this.reading && this.unread === undefined;
  }

  get totalRead(): number {
    return this.bytesRead + (this.sink?.underWay ?? 0);
  }

  get totalWritten(): number {
    return this.bytesWritten + (this.feeder?.underWay ?? 0);
  }

  /** Milliseconds since a splice last moved something from or to here. */
  get spliceIdle(): number {
    return Math.min(this.sink?.idle ?? Infinity, this.feeder?.idle ?? Infinity);
  }

  /** @internal */
  stopSplices(): void {
    this.sink?.stop();
    this.feeder?.stop();
  }

  /** There is more that the stream could be given at any tick. */
  get holdsUnread(): boolean {
    return this.unread !== undefined;
  }

  /** Gives the stream the next of what it was spared, and reads from the kernel when there is no more. */
  giveUnread(): void {
    const { unread } = this;
    if (unread === undefined || !this.reading || !this.open) return;
    const next = unread.shift();
    if (unread.length === 0) this.unread = undefined;
    if (next === undefined) this.onEnd();
    else if (typeof next === 'number') this.onReadError(next);
    else this.take(next);
    this.readOn();
  }

  private take(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    this.socket._idle?.touch();
    this.scope.runInAsyncScope(deliver, undefined, this, chunk);
  }

  /** Reads on after a rest, unless it has been stopped. */
  readOn(): void {
    if (!this.reading) return;
    if (this.unread === undefined) this.resume();
    else process.nextTick(giveUnread, this);
  }

  override onTaken(status: number): void {
    this.sink?.onTaken(status);
  }

  /**
   * The descriptor, which another process is to have as well; or a negative errno. Reading stops, and until the stream asks
   * for more it is told of no end either, which would end what the other process writes. What was written goes first.
   */
  share(): number {
    this.stopSplices();
    this.stopReading();
    this.flush();
    this.noteShared();
    return this.engine.native.shareDescriptor(this.id);
  }

  /** Another process has the socket as well: to close it here ends no connection. */
  noteShared(): void {
    (this.rare ??= new RareState()).shared = true;
  }

  /** What is read next is the other process's. */
  private get leavesReading(): boolean {
    return !this.reading && this.rare?.shared === true;
  }

  /** Undoes `takeUnread()`. */
  putBack(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.bytesRead -= chunk.length;
    this.unread = [...chunks, ...(this.unread ?? [])];
    this.readOn();
  }

  /** Takes the chunks that the stream has not been given, those of the batch under way too, up to an end or a failure. */
  takeUnread(): Buffer[] {
    const chunks: Buffer[] = [];
    const { unread = [] } = this;
    while (Buffer.isBuffer(unread[0])) chunks.push(unread.shift() as Buffer);
    if (unread.length === 0) this.unread = undefined;
    for (const chunk of chunks) this.bytesRead += chunk.length;
    if (this.unread !== undefined) return chunks;
    const fresh = this.engine.takeUnread(this.id, this.bytesRead);
    for (const chunk of fresh) this.bytesRead += chunk.length;
    return [...chunks, ...fresh];
  }

  onEnd(): void {
    this.sink?.stop();
    if (this.unread !== undefined || this.leavesReading) {
      (this.unread ??= []).push(undefined);
      return;
    }
    this.socket._idle?.touch();
    this.scope.run(endReading, this);
  }

  onReadError(errno: number): void {
    this.sink?.stop();
    if (this.unread !== undefined || this.leavesReading) {
      (this.unread ??= []).push(errno);
      return;
    }
    this.scope.run(destroy, this.socket, errnoError(errno, 'read'));
  }

  onConnect(status: number): void {
    const { attempt } = this;
    this.attempt = undefined;
    if (attempt !== undefined) this.scope.run(tellAttempt, attempt, this, status);
  }

  /** Whether the system says once more that this TCP socket has connected: to the first that asks, of who connected. */
  confirmsConnect(): boolean {
    const rare = (this.rare ??= new RareState());
    const first = !rare.askedAgain && this.socket.server === null && process.platform === 'linux';
    rare.askedAgain = true;
    return first;
  }

  // --- writing ---

  /** Calls back, in the caller's async context, when all that has been written so far is with the kernel. */
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

  /** The stream's write is all in the connection's queue, or with the kernel. */
  get sendsWrite(): boolean {
    return this.blockedWrite !== undefined;
  }

  /** Sends these parts now; calls back when the kernel has all of them. */
  send(parts: readonly Uint8Array[], callback: WriteCallback): void {
    this.noteSent(this.writeLent(parts), parts, callback);
  }

  /** The same with files among them. */
  sendParts(parts: readonly WritePart[], callback: WriteCallback): void {
    this.noteSent(this.writeParts(parts), parts, callback);
  }

  /** What has come of a write of the stream's: bytes that the kernel has not taken, or a negative errno. */
  noteSent(left: number, parts: readonly WritePart[], callback: WriteCallback): void {
    if (left < 0) {
      callback(writeError(left));
      return;
    }
    // Earlier writes, which the kernel has got with these parts, call back before this one.
    if (this.awaited && left <= lengthOf(parts)) this.callWaitersLater();
    if (this.blocked) {
      (this.rare ??= new RareState()).lastQueued = left;
      this.blockedWrite = new Waiter(callback);
    } else {
      callback();
    }
  }

  /**
   * Whether the peer has read of what is under way since this was last asked, or since it was written. Of small writes that
   * the kernel has not taken it is not known how many bytes they were then: once they are taken for sent.
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
   * As finish(), but leaves the FIN to a close() that follows at once. False, and nothing has been done: the peer might see
   * something else by that than a FIN, or nothing, as long as another process has the socket.
   */
  finishByClose(callback: WriteCallback): boolean {
    if (this.rare?.shared === true || !this.hasSentAll) return false;
    if (this.inPlace?.isAmidRead === true) {
      // Where node's FIN calls back: what lies behind in this read meets a socket that is still there.
      this.shutdownDone = new Waiter(() => {
        if (!this.finishByClose(callback)) this.finish(callback);
      });
      this.engine.tellShutdown(this, 0);
      return true;
    }
    // With bytes unread the kernel would send a reset.
    if (!this.expectsNothing && this.engine.native.unread(this.id) !== 0) return false;
    callback();
    return true;
  }

  /**
   * The peer has said that it is through, and has been read a moment ago: whether it has sent more is not asked, which takes
   * 6 % of a connection with one request. If it has, it finds the whole answer, and a reset behind it, as it does on node
   * in the moment between the last read and the close.
   */
  private get expectsNothing(): boolean {
    return !this.tcp && this.inPlace?.hasReadLast === true && this.engine.turnAge() < CLOSING_MOMENT;
  }

  /** The kernel has all that was written, and all that has been read is given on. Hands over to find out. */
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

  /** @internal Those who have what they wait for are told. A stream tells of its drain before it calls back. */
  callSettled(): void {
    const { waiters, socket } = this;
    if (socket._writableState.needDrain) waiters?.first?.run(tellDrained, socket);
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
    // The failed write is told of at the end of this turn, and 'finish' never.
    if (this.failed) return;
    // What was written before the FIN calls back before it.
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

  /** A write of the stream's that has not come to the connection: it is called back for as one that has. */
  holdWrite(callback: WriteCallback): void {
    this.blockedWrite = new Waiter(callback);
  }

  /** Those who wait for what the kernel has by now are told on the next tick. */
  private callWaitersLater(): void {
    this.waiters?.settle();
    process.nextTick(callSettled, this);
  }

  /**
   * Hands over what is queued, and has those who wait for that told on the next tick: before anything that comes of what
   * the stream is told next.
   */
  settleSoon(): void {
    if (!this.awaited) return;
    this.flush();
    if (!this.blocked && !this.failed) this.callWaitersLater();
  }

  /** Closes for good. What the kernel has taken calls back on the next tick, the rest by `cancelWrites`. */
  closeNow(reset: boolean): void {
    this.stopSplices();
    this.attempt = this.unread = undefined;
    this.settleSoon();
    this.shutdownDone?.end();
    this.shutdownDone = undefined;
    this.close(reset);
  }

  /** @internal Writes under way, all of which the kernel has by now, call back on the next tick. */
  callBackLater(): void {
    if (this.blockedWrite !== undefined) this.addWaiter(this.blockedWrite);
    this.blockedWrite = undefined;
    this.callWaitersLater();
  }

  /** Calls back for writes that were under way when the connection was closed; just before 'close', as node does. */
  cancelWrites(): void {
    const { blockedWrite } = this;
    if (blockedWrite !== undefined) {
      (this.rare ??= new RareState()).cut = true;
      this.addWaiter(blockedWrite);
    }
    this.blockedWrite = undefined;
    if (!this.awaited) return;
    this.waiters?.callAll(CANCELLED_WRITES_FAIL ? errnoError(ECANCELED, 'write') : null);
    runTicks();
  }
}

function lengthOf(parts: readonly WritePart[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}
