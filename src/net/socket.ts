/**
 * The native `Socket`: node:net's contract over a connection of the engine.
 *
 * It is a Duplex whose prototype chain goes through `net.Socket.prototype` (see socket-base.ts), so that it is an
 * `instanceof net.Socket`, while net.Socket's costly constructor never runs. Everything on that prototype that needs
 * node's own handle is overridden, here or there. The socket has no handle, so tls and http treat it like any other
 * stream.
 *
 * States: idle -> connecting -> connected -> closed; connect() leads from closed to connecting again.
 */
import * as net from 'node:net';
import { closedBeforeConnectError, invalidHandleTypeError, socketClosedError } from '../errors/index.js';
import type { FileSender, FileTarget } from '../files/options.js';
import { endConnection, type ConnectionCounting } from '../node/server-connections.js';
import { SOCKET_CONNECT_IS_PUBLISHED } from '../runtime/version.js';
import { closes, connectionStats, type CloseEvent } from '../stats/events.js';
import { normalizeArguments } from './arguments.js';
import { socketScope } from './async-scopes.js';
import { publishClient } from './client-channel.js';
import { tellClosed } from './closing.js';
import { startConnecting, type ConnectOptions } from './connect.js';
import { receiveFile, type FileReceiver, type ReceiveFileOptions } from './receive-file.js';
import type { SocketSettings, StreamOptions } from './socket-options.js';
import { isOpen } from './socket-properties.js';
import { WritingSocket } from './writing-socket.js';
import { readableState } from '../node/stream-state.js';

export class NativeSocket extends WritingSocket implements FileSender, FileReceiver {
  private _resetting = false;
  /**
   * The argument of 'close'. Not named `_hadError`, as node:http sets a field of that name on sockets, with another
   * meaning.
   */
  private _closedByError = false;
  private _earlyRead = false;
  declare private _closeEvent?: CloseEvent;
  /** From connect() until its outcome; `connecting` ends before the last failure is emitted. */
  private _attempting = false;

  constructor(settings: SocketSettings, options: StreamOptions) {
    super(settings, options);
    // A listener, as in node: programs count listeners, and inspect those before their own.
    this.on('end', noteEnd);
  }

  // --- connecting ---

  override connect(...args: unknown[]): this {
    const [options, listener] = normalizeArguments<ConnectOptions>(args);
    if (SOCKET_CONNECT_IS_PUBLISHED) publishClient(this);
    if (listener !== undefined) this.once('connect', listener);
    startConnecting(this, options);
    return this;
  }

  /** @internal Starts a connection, again if there was one before. */
  _begin(): void {
    if (this.destroyed) {
      this._undestroy();
      this._peerName = this._ownName = undefined;
    }
    this._idle?.touch();
    this.connecting = this._attempting = true;
    // A failing second connect() must not cost the existing connection: see Attempts.
    if (isOpen(this)) return;
    this._resetting = this._closingSoon = this._closedByError = this._endTold = this._earlyRead = false;
    this._connection = this._earlyWrite = undefined;
    this._scope = socketScope();
  }

  /** @internal The kernel has established the connection. */
  _connected(): void {
    const connection = this._connection;
    if (connection === undefined) return;
    this.connecting = this._attempting = false;
    this._idle?.touch();
    if (this._unreferenced) connection.engine.native.ref(connection.id, false);
    if (!this.readable || (this.isPaused() && !this._earlyRead)) connection.stopReading();
    this._earlyRead = false;
    this.emit('connect');
    this.emit('ready');
    // A socket that still flows from an earlier connection gets no other request for data.
    if (readableState(this).flowing === true) this.read(0);
  }

  // --- reading ---

  override _read(): void {
    const connection = this._connection;
    // The stream asks once, and then waits for data.
    if (this.connecting || connection === undefined) this._earlyRead = true;
    else if (connection.reader?.isOnlyReader !== true || !this.isPaused()) connection.startReading();
  }

  /** As in node's HTTP server, a connection read by it stops at once. Others read until the stream is full. */
  override pause(): this {
    const connection = this._connection;
    if (connection?.reader?.isOnlyReader === true) connection.stopReading();
    return super.pause();
  }

  /** The stream may be waiting for data that it requested before it was paused, and then requests none. */
  override resume(): this {
    const connection = this._connection;
    if (connection?.reader?.rests === false) connection.startReading();
    return super.resume();
  }

  /** See `receiveFile`. */
  receiveFile(file: FileTarget, options?: ReceiveFileOptions): Promise<number> {
    return receiveFile(this, file, options);
  }

  // --- ending ---

  override destroySoon(): void {
    this._closingSoon = true;
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', destroyNow);
  }

  override resetAndDestroy(): this {
    if (!isOpen(this)) {
      // A reset before the socket is connected waits for that.
      if (this.connecting) this.once('connect', resetNow);
      else this.destroy(socketClosedError());
      return this;
    }
    if (this._connection?.tcp === false) throw invalidHandleTypeError();
    if (this.connecting) this.once('connect', resetNow);
    else this._reset();
    return this;
  }

  _reset(): this {
    this._resetting = true;
    return this.destroy();
  }

  override destroy(error?: Error | null, callback?: (error?: Error | null) => void): this {
    if (this._held !== undefined) this._giveHeldToStream();
    // Before the stream fails the writes that it still holds.
    if (!this.destroyed) this._connection?.settleSoon();
    // The stream's own destroy() takes a second argument that its type leaves out.
    return (super.destroy as (error?: Error | null, callback?: (error?: Error | null) => void) => this).call(
      this,
      error,
      callback,
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const connection = this._connection;
    const started = this._attempting || isOpen(this);
    const early = this._attempting ? this._earlyWrite : undefined;
    if (early !== undefined) {
      this.once('close', () => {
        early.callback(closedBeforeConnectError());
      });
    }
    this.connecting = this._attempting = false;
    this._idle?.stop();
    this._closedByError = error !== null;
    if (closes.hasSubscribers && this._server !== null) this._noteCloseStats(this._server);
    connection?.closeNow(this._resetting);
    if (early === undefined && this._earlyWrite?.awaitsFile === true) {
      connection?.holdWrite(this._earlyWrite.callback);
      this._earlyWrite = undefined;
    }
    this._ownName = undefined;
    callback(error);
    if (started) tellClosed(this);
    else process.nextTick(emitPlainClose, this);
    const server = this._server;
    if (server !== null) {
      this._server = null;
      endConnection(server);
    }
  }

  /** Reads the counters for subscribers of `nearwire:close` now: they are gone once the connection is closed. */
  private _noteCloseStats(server: ConnectionCounting): void {
    const connection = this._connection;
    if (connection === undefined || !connection.open || !(server instanceof net.Server)) return;
    connection.flush();
    const stats = connectionStats(connection.engine.native, connection.id);
    if (stats === undefined) return;
    this._closeEvent = { server, socket: this, stats };
  }

  /** @internal */
  _emitClose(): void {
    const event = this._closeEvent;
    if (event !== undefined) {
      this._closeEvent = undefined;
      closes.publish(event);
    }
    const { _connection: connection } = this;
    const scope = connection?.scope ?? this._scope;
    connection?.cancelWrites();
    scope?.run(emitClose, this, this._closedByError);
    scope?.end();
  }
}

/** The first listener of 'end' on every socket. */
export function noteEnd(this: NativeSocket): void {
  if (!this.allowHalfOpen) this._endTold = true;
}

function destroyNow(this: NativeSocket): void {
  this.destroy();
}

function resetNow(this: NativeSocket): void {
  this._reset();
}

function emitClose(socket: NativeSocket, hadError: boolean): void {
  socket.emit('close', hadError);
}

/** A socket that was never connected emits 'close' without an argument. */
function emitPlainClose(socket: NativeSocket): void {
  socket.emit('close');
}
