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
import {
  closedBeforeConnectError,
  endedByPeerError,
  invalidHandleTypeError,
  socketClosedError,
} from '../errors/index.js';
import {
  beginSendFile,
  type FileSender,
  type FileSource,
  type FileTarget,
  type SendFileOptions,
} from '../files/options.js';
import { SOCKET_CONNECT_IS_PUBLISHED, UNCONNECTED_ENDS_AT_ONCE } from '../runtime/version.js';
import { COPY_LIMIT } from '../engine/outbound.js';
import { receiveFile, type FileReceiver, type ReceiveFileOptions } from './receive-file.js';
import { normalizeArguments } from './arguments.js';
import { socketScope } from './async-scopes.js';
import type { WriteCallback } from '../node/stream-state.js';
import { publishClient } from './client-channel.js';
import { tellClosed } from './closing.js';
import { startConnecting, type ConnectOptions } from './connect.js';
import type { FileChunk } from '../files/file-write.js';
import {
  holdWrite,
  queueWrite,
  sendHeld,
  sendLargeWrite,
  takeHeld,
  takesDirectWrites,
  toBytes,
} from './direct-writes.js';
import { dispatchFiles, isFile, sendFileNatively } from './file-chunk.js';
import { withReferences } from '../files/page.js';
import { closes, connectionStats, type CloseEvent } from '../stats/events.js';
import { SocketBase } from './socket-base.js';
import type { OwningServer } from '../node/server-internals.js';
import type { SocketSettings, StreamOptions } from './socket-options.js';
import { isOpen } from './socket-properties.js';

export class NativeSocket extends SocketBase implements FileSender, FileReceiver {
  private _resetting = false;
  /** destroySoon() has been called. */
  private _closingSoon = false;
  /**
   * The argument of 'close'. Not named `_hadError`, as node:http sets a field of that name on sockets, with another
   * meaning.
   */
  private _closedByError = false;
  private _plainStrings = true;
  private _earlyRead = false;
  declare private _closeEvent?: CloseEvent;
  /** From connect() until its outcome; `connecting` ends before the last failure is emitted. */
  private _attempting = false;
  /** 'end' has been emitted and ends this side too. */
  _endTold = false;

  constructor(settings: SocketSettings, options: StreamOptions) {
    super(settings, options);
    // A listener, as in node: programs count listeners, and inspect those before their own.
    this.on('end', noteEnd);
    const { defaultEncoding } = options as { defaultEncoding?: unknown };
    if (defaultEncoding !== undefined) this._plainStrings = defaultEncoding === 'utf8';
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
    if (this._readableState.flowing === true) this.read(0);
  }

  // --- reading ---

  override _read(): void {
    const connection = this._connection;
    // The stream asks once, and then waits for data.
    if (this.connecting || connection === undefined) this._earlyRead = true;
    else if (connection.inPlace?.isOnlyReader !== true || !this.isPaused()) connection.startReading();
  }

  /** As in node's HTTP server, a connection read by it stops at once. Others read until the stream is full. */
  override pause(): this {
    const connection = this._connection;
    if (connection?.inPlace?.isOnlyReader === true) connection.stopReading();
    return super.pause();
  }

  /** The stream may be waiting for data that it requested before it was paused, and then requests none. */
  override resume(): this {
    const connection = this._connection;
    if (connection?.inPlace?.rests === false) connection.startReading();
    return super.resume();
  }

  // --- writing ---

  /**
   * A write on a connected socket with nothing queued goes to the connection without the stream's bookkeeping; all
   * others, including invalid arguments, go through the stream.
   */
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback | null, callback?: WriteCallback): boolean {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (this._isPlain(chunk, encoding) && this._takesDirectWrites(callback)) {
      const plain = encoding ?? 'utf8';
      if (typeof callback !== 'function') callback = undefined;
      const { corked, pendingcb } = this._writableState;
      if (corked === 0) {
        if (chunk.length <= COPY_LIMIT) {
          queueWrite(this, chunk, plain, callback);
          return true;
        }
        if (sendLargeWrite(this, { chunk, encoding: plain, callback })) return true;
      } else if (pendingcb === 0) {
        return holdWrite(this, { chunk, encoding: plain, callback });
      }
      // While the stream has a pending tick, it would mistake writes held here for drained.
    }
    if (this._held !== undefined) this._giveHeldToStream();
    if (this._endTold && this.writableEnded) return this._writeAfterEnds(callback);
    this._settleBeforeFailure();
    // The stream reports what is wrong with it.
    return super.write(chunk as string, encoding as BufferEncoding, callback);
  }

  /** Whether this chunk, in this encoding or the default one, can go to the connection unchanged. */
  private _isPlain(chunk: unknown, encoding: unknown): chunk is string | Uint8Array {
    if (typeof chunk === 'string') {
      if (encoding === undefined || encoding === null) return this._plainStrings;
    } else if (!(chunk instanceof Uint8Array)) {
      return false;
    } else if (encoding === undefined || encoding === null) {
      return true;
    }
    return encoding === 'utf8' || encoding === 'latin1';
  }

  /** @internal See `takesDirectWrites`. */
  _takesDirectWrites(callback?: WriteCallback): boolean {
    return takesDirectWrites(this, callback);
  }

  private _giveHeldToStream(): void {
    for (const { chunk, encoding, callback } of takeHeld(this)) super.write(chunk, encoding, callback);
  }

  override uncork(): void {
    super.uncork();
    if (this._held === undefined || this._writableState.corked > 0) return;
    const rest = sendHeld(this);
    if (rest.length === 0) return;
    // Corked, so that the stream hands all of them over in one write.
    super.cork();
    for (const { chunk, encoding, callback } of rest) super.write(chunk, encoding, callback);
    super.uncork();
  }

  override setDefaultEncoding(encoding: BufferEncoding): this {
    super.setDefaultEncoding(encoding);
    this._plainStrings = encoding.toLowerCase() === 'utf8';
    return this;
  }

  /** Later writes fail on the next tick: after the outcomes of the writes before them. */
  private _settleBeforeFailure(): void {
    if (this.writableEnded) this._connection?.settleSoon();
  }

  private _writeAfterEnds(callback: WriteCallback | undefined): boolean {
    const error = endedByPeerError();
    this._settleBeforeFailure();
    if (typeof callback === 'function') process.nextTick(callback, error);
    this.destroy(error);
    return false;
  }

  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    if (typeof chunk === 'function') {
      callback = chunk as () => void;
      chunk = encoding = undefined;
    } else if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (this._isPlain(chunk, encoding) && this._takesDirectWrites()) {
      this.write(chunk, encoding);
      chunk = undefined;
    }
    if (this._held !== undefined) this._giveHeldToStream();
    this._settleBeforeFailure();
    super.end(chunk as string, encoding as BufferEncoding, callback);
    return this;
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback): void {
    this._dispatch([toBytes(chunk, encoding)], callback);
  }

  override _writev(chunks: { chunk: string | Uint8Array; encoding: BufferEncoding }[], callback: WriteCallback): void {
    const parts = chunks.map(({ chunk, encoding }) => toBytes(chunk, encoding));
    this._dispatch(parts, callback);
  }

  private _dispatch(parts: Uint8Array[], callback: WriteCallback): void {
    if (this.connecting) {
      // A listener, so that it is sent in order with the program's own listeners.
      this._earlyWrite = { parts, callback, awaitsFile: false };
      this.once('connect', this._writeEarly);
      return;
    }
    const connection = this._connection;
    if (connection === undefined || !connection.open) {
      callback(socketClosedError());
      return;
    }
    this._idle?.touch();
    const ahead = this._sentAhead;
    if (ahead !== undefined) {
      this._sentAhead = undefined;
      connection.noteSent(ahead, parts, callback);
      return;
    }
    if (parts.some(isFile)) {
      dispatchFiles(this, connection, parts, callback);
      return;
    }
    for (const part of parts) connection.bytesWritten += part.length;
    const references = withReferences(parts);
    if (references === undefined) connection.send(parts, callback);
    else connection.sendParts(references, callback);
  }

  /** See `receiveFile`. */
  receiveFile(file: FileTarget, options?: ReceiveFileOptions): Promise<number> {
    return receiveFile(this, file, options);
  }

  /** See FileSender. */
  sendFile(file: FileSource, options?: SendFileOptions): Promise<number> {
    return beginSendFile(file, options, (call, done) => {
      sendFileNatively(this, call, done);
    });
  }

  /** @internal Writes a chunk that must go through the stream. */
  _writeChunk(chunk: FileChunk, callback: WriteCallback): void {
    if (this._held !== undefined) this._giveHeldToStream();
    if (this._endTold && this.writableEnded) this._writeAfterEnds(callback);
    else super.write(chunk as unknown as Uint8Array, callback);
  }

  /** @internal Continues a write that waited for a file. */
  _writeOpened(): void {
    if (!this.connecting) this._writeEarly();
  }

  private _writeEarly(): void {
    const write = this._earlyWrite;
    this._earlyWrite = undefined;
    if (write !== undefined) this._dispatch(write.parts, write.callback);
  }

  override _final(callback: WriteCallback): void {
    const connection = this._connection;
    if (connection === undefined && !this.connecting && UNCONNECTED_ENDS_AT_ONCE) {
      callback();
      return;
    }
    if (this.connecting || connection === undefined) {
      this.once('connect', () => {
        this._final(callback);
      });
      return;
    }
    // Such a stream destroys itself right after this, with no user code in between.
    const closes = this._closingSoon && this.listenerCount('finish') === 0;
    if (!closes || !connection.finishByClose(callback)) connection.finish(callback);
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
      server._connections--;
      server._emitCloseIfDrained();
    }
  }

  /** Reads the counters for subscribers of `nearwire:close` now: they are gone once the connection is closed. */
  private _noteCloseStats(server: OwningServer): void {
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
