/**
 * One direction of a relay between two native sockets, and the splice that moves its bytes natively (native/splice.h).
 *
 * The kernel does the work of the relay's 'data' listener, which only writes to the other socket. The splice is started
 * when the relay asks for it and no code could observe a difference: there is no other listener for data, nothing is
 * buffered on either side, and neither stream has methods of its own. The end of either side stops it; bytes in transit
 * go to the other socket, and the stream reads as before.
 */
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { Sink } from './sink.js';
import { NativeSocket } from './socket.js';
import type { SocketConnection } from './socket-connection.js';
import { writableState, readableState } from '../node/stream-state.js';

export type DataListener = (chunk: Buffer) => void;

const { push: originalPush } = Duplex.prototype;

/** Whether chunks of the socket go, one by one, to its listeners and nowhere else. */
function isPlainSource(socket: NativeSocket): boolean {
  const { prototype } = NativeSocket;
  return (
    socket.push === originalPush &&
    socket.emit === (EventEmitter.prototype.emit as unknown) &&
    socket._read === prototype._read &&
    socket._onread === undefined
  );
}

function isPlainSink(socket: NativeSocket): boolean {
  const { prototype } = NativeSocket;
  return socket.write === prototype.write && socket._write === prototype._write && socket._writev === prototype._writev;
}

/** Data queued in the connection precedes the bytes of a splice anyway; data held back by the stream would not. */
function holdsBack(socket: NativeSocket, connection: SocketConnection): boolean {
  const state = writableState(socket);
  return state.length > 0 && (!connection.sendsWrite || state.getBuffer().length > 0);
}

/** Whether JavaScript holds nothing that must precede the bytes of a splice. */
function takesBytes(socket: NativeSocket, connection: SocketConnection): boolean {
  return (
    socket.writable &&
    !socket.connecting &&
    !holdsBack(socket, connection) &&
    writableState(socket).corked === 0 &&
    socket._held === undefined &&
    isPlainSink(socket)
  );
}

export class Splice implements Sink {
  private readonly source: NativeSocket;
  private readonly sink: NativeSocket;
  private readonly listener: DataListener;
  private readonly left: () => number;
  /** The two connections while the splice is running. */
  private from: SocketConnection | undefined;
  private to: SocketConnection | undefined;
  /** Bytes moved by earlier runs, without the current one. */
  private before = 0;
  private rests = false;

  /**
   * `listener` is the only 'data' listener, which the splice can replace. `left` returns how many more bytes the splice
   * may take; it must not start if that is 0.
   */
  constructor(source: NativeSocket, sink: NativeSocket, listener: DataListener, left: () => number) {
    this.source = source;
    this.sink = sink;
    this.listener = listener;
    this.left = left;
  }

  get runs(): boolean {
    return this.from !== undefined;
  }

  /** Bytes that the current run has taken so far. */
  get underWay(): number {
    const totals = this.from?.engine.native.sinkTotals(this.from.id);
    return Array.isArray(totals) ? totals[0] : 0;
  }

  /** Bytes that have reached the sink without passing through JavaScript. */
  get moved(): number {
    return this.before + this.underWay;
  }

  /** Milliseconds since the splice last moved bytes. */
  get idle(): number {
    const totals = this.from?.engine.native.sinkTotals(this.from.id);
    return Array.isArray(totals) && totals[1] >= 0 ? totals[1] : Infinity;
  }

  /** Starts the splice if it can replace the listener now. */
  tryStart(): void {
    const { source, sink } = this;
    const left = this.left();
    const { _connection: from } = source;
    const state = readableState(source);
    const { _connection: to } = sink;
    if (
      this.runs ||
      left <= 0 ||
      from?.open !== true ||
      to?.open !== true ||
      from.sink !== undefined ||
      !from.givesOn ||
      state.flowing !== true ||
      state.length > 0 ||
      Boolean(state.decoder) ||
      source.readableObjectMode ||
      !source.readable ||
      source.listenerCount('readable') > 0 ||
      source.listenerCount('data') !== 1 ||
      source.listeners('data')[0] !== this.listener ||
      to.failed ||
      !takesBytes(sink, to) ||
      !isPlainSource(source)
    ) {
      return;
    }
    if (from.engine.native.splice(from.id, to.id, Number.isFinite(left) ? left : -1) < 0) return;
    this.from = from;
    this.to = to;
    from.sink = this;
    to.feeder = this;
  }

  /**
   * Returns what has been read and not yet given to the stream, unless the stream still holds earlier data. Nothing
   * more is read before `readOn`: it would have to precede the bytes of a splice again.
   */
  takeUnread(): Buffer[] {
    const { _connection: connection, readableLength } = this.source;
    if (connection?.open !== true || readableLength > 0) return [];
    this.rests = true;
    connection.stopReading();
    return connection.takeUnread();
  }

  /** Resumes reading if `takeUnread` has stopped it. */
  readOn(): void {
    const { _connection: connection } = this.source;
    if (this.rests && connection?.open === true) connection.startReading();
    this.rests = false;
  }

  /** Makes the stream read again. Does nothing if no splice is running. */
  stop(): void {
    const { from, to } = this;
    if (from === undefined || to === undefined) return;
    this.from = this.to = undefined;
    from.sink = to.feeder = undefined;
    const { native } = from.engine;
    const moved = native.stopSink(from.id);
    if (to.open && native.queued(to.id) > 0) to.blocked = true;
    if (moved === 0) return;
    this.before += moved;
    from.bytesRead += moved;
    to.bytesWritten += moved;
  }

  onTaken(): void {
    this.stop();
  }
}
