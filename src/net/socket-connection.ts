/** The connection under a `Socket`: turns the engine's callbacks into actions of the stream. */
import type { Engine } from '../engine/engine.js';
import { errnoError } from '../errors/index.js';
import { copyOf } from '../memory/own-memory.js';
import type { Scope } from './async-scopes.js';
import type { ConnectedSocket } from './connected-socket.js';
import { deliver, endReading } from './delivery.js';
import type { Onread } from './onread.js';
import { RareState } from './rare-state.js';
import { destroy, WritingConnection } from './writing-connection.js';

/** Receives the outcome of a connection attempt. */
export interface AttemptOwner {
  attemptDone(connection: SocketConnection, status: number): void;
}

function tellOnread(onread: Onread, connection: SocketConnection, length: number): void {
  onread.tell(connection, length);
}

export function giveUnread(connection: SocketConnection): void {
  connection.giveUnread();
}

function tellAttempt(attempt: AttemptOwner, connection: SocketConnection, status: number): void {
  attempt.attemptDone(connection, status);
}

export class SocketConnection extends WritingConnection {
  /** Set while connecting. */
  attempt: AttemptOwner | undefined;
  bytesRead = 0;
  /** @internal */
  reading: boolean;
  /** The stream has had a chunk through push(), which changes state that later chunks need not change again. */
  pushed = false;

  constructor(engine: Engine, id: number, socket: ConnectedSocket, scope: Scope, tcp: boolean, reading: boolean) {
    super(engine, id, socket, scope, tcp);
    this.reading = reading;
  }

  override closeNow(reset: boolean): void {
    this.attempt = undefined;
    super.closeNow(reset);
  }

  override onInbox(memory: Buffer, start: number, end: number): void {
    this.receive(copyOf(memory, start, end));
  }

  override onBlock(block: Buffer): boolean {
    this.receive(block);
    return true;
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

  /** Whether the next data from the kernel is to be given to the stream at once. */
  get givesOn(): boolean {
    return this.reading && this.unread === undefined;
  }

  get totalRead(): number {
    return this.bytesRead + (this.sink?.underWay ?? 0);
  }

  get totalWritten(): number {
    return this.bytesWritten + (this.feeder?.underWay ?? 0);
  }

  /** Milliseconds since a splice last moved bytes from or to this connection. */
  get spliceIdle(): number {
    return Math.min(this.sink?.idle ?? Infinity, this.feeder?.idle ?? Infinity);
  }

  /** There is more that the stream could be given on any tick. */
  get holdsUnread(): boolean {
    return this.unread !== undefined;
  }

  /** Gives the stream the next held item, and reads from the kernel when none is left. */
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

  /** Continues reading, unless it has been stopped. */
  readOn(): void {
    if (!this.reading) return;
    if (this.unread === undefined) this.resume();
    else process.nextTick(giveUnread, this);
  }

  /** So many bytes have gone to a file. */
  noteTaken(bytes: number): void {
    this.bytesRead += bytes;
  }

  override onTaken(status: number): void {
    this.sink?.onTaken(status);
  }

  /**
   * The descriptor, for another process to share; or a negative errno. Reading stops. Until the stream asks for more,
   * an end is not reported either, because it would end what the other process writes. Pending writes are sent first.
   */
  share(): number {
    this.stopSplices();
    this.stopReading();
    this.flush();
    this.noteShared();
    return this.engine.native.shareDescriptor(this.id);
  }

  /** Another process has the socket as well: closing it here does not end the connection. */
  noteShared(): void {
    (this.rare ??= new RareState()).shared = true;
  }

  /** Whether further data is left to the other process. */
  private get leavesReading(): boolean {
    return !this.reading && this.rare?.shared === true;
  }

  /** Undoes `takeUnread()`. */
  putBack(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.bytesRead -= chunk.length;
    this.unread = [...chunks, ...(this.unread ?? [])];
    this.readOn();
  }

  /**
   * Takes the chunks that the stream has not been given, including those of the current batch, up to an end or a
   * failure.
   */
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

  /**
   * Whether the system confirms the connect of this TCP socket once more: only for the first caller, and only for a
   * socket that connected.
   */
  confirmsConnect(): boolean {
    const rare = (this.rare ??= new RareState());
    const first = !rare.askedAgain && this.socket.server === null && process.platform === 'linux';
    rare.askedAgain = true;
    return first;
  }
}
