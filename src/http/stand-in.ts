/**
 * The object behind `req.socket` while a connection's requests are read without a stream: to programs a `net.Socket`,
 * and to node's ServerResponse as much of one as it uses. It costs five fields.
 *
 * Whatever needs more (its streams, its place in other parts of nearwire) turns it into a NativeSocket: the same
 * object, with other methods. See become-socket.ts.
 */
import type { Duplex } from 'node:stream';
import { EventEmitter } from 'node:events';
import type { FileRange } from '../binding/file-range.js';
import type { TransportName } from '../config/options.js';
import { now } from '../engine/clock.js';
import { DESCRIPTOR } from '../engine/descriptor.js';
import { argTypeError, invalidHandleTypeError, writeAfterEndError, writeDestroyedError } from '../errors/index.js';
import type { ConnectionContract, StandIn } from '../exchange/contracts.js';
import type { FileSinkOwner } from '../net/file-sink.js';
import { IdleTimer, timerDuration } from '../net/idle-timer.js';
import { checkFunction, type BufferSizes } from '../config/options.js';
import { readBufferSizes } from '../net/socket-properties.js';
import { NativeSocket } from '../net/socket.js';
import { delaySeconds, type SocketSettings } from '../net/socket-options.js';
import type { SocketConnection } from '../net/socket-connection.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { EndpointNames } from './endpoint-names.js';

/** Its connection, as the stand-in uses it. */
export interface StandInConnection extends ConnectionContract, FileSinkOwner {
  readonly closed: boolean;
  readonly peerEnded: boolean;
  readonly tcp: boolean;
  readonly settings: SocketSettings;
  readonly bytesWritten: number;
  readonly paused: boolean;
  /** Bytes of this request's body that have not been read from the kernel; 0 if others read it. */
  bodyLeftOf(request: object): number;
  /** Takes what has been read from the kernel while it was paused, and returns whether that was all. */
  takeAhead(): boolean;
  readonly bytesRead: number;
  /** Keeps a write until it is uncorked. */
  hold(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean;
  sendHeld(): void;
  writeRange(range: FileRange, callback: WriteCallback): boolean;
  destroySoon(): void;
  reset(): void;
  refuse(error: Error): void;
  /** Makes it a socket. Does nothing if it is closed. */
  becomeSocket(): void;
  readonly names: EndpointNames;
}

/** The stream state that node's code reads: enough for `stream.finished()` to detect the end. */
interface StreamOutline {
  corked: number;
  closed: boolean;
  destroyed: boolean;
  needDrain: boolean;
  readonly autoDestroy: true;
  readonly emitClose: true;
  readonly objectMode: false;
}

function nothing(): void {
  // This write has no callback.
}

/** Only streams have these events: a listener of one needs a socket. */
function needsStream(event: unknown): boolean {
  return event === 'data' || event === 'readable';
}

const emitter = EventEmitter.prototype;

type Listener = (...args: unknown[]) => void;

/** By the method of what the socket is by now. */
function onEvent(
  socket: EventEmitter,
  name: 'on' | 'prependListener',
  event: string | symbol,
  listener: Listener,
): EventEmitter {
  const { [name]: method } = isStandIn(socket) ? emitter : NativeSocket.prototype;
  Reflect.apply(method, socket, [event, listener]);
  return socket;
}

/** As in node's streams: bytes in any view. */
function bytesOf(chunk: unknown): Buffer {
  if (!ArrayBuffer.isView(chunk)) {
    throw argTypeError('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
  }
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** @internal The fields of a stand-in. Its methods are below. */
export interface HttpSocket extends StandIn {
  readonly _owner: StandInConnection;
  server: object;
  transport: TransportName;
  timeout?: number;
  readonly writableCorked: number;
  /** As in node's server: reading waits until responses have left. */
  _paused: boolean;
  setTimeout(milliseconds: number, callback?: () => void): this;
  _outline?: StreamOutline;
  _timer?: IdleTimer;
}

/**
 * The methods, over those of NativeSocket, of which none is left that looks at a stream. They are copied to the
 * prototype below, because classes cannot have accessors where their base class has fields.
 */
const methods = {
  // --- events ---

  on(this: HttpSocket & NativeSocket, event: string | symbol, listener: Listener) {
    if (needsStream(event)) this._owner.becomeSocket();
    return onEvent(this, 'on', event, listener);
  },

  /** Node's server listens to the errors of its sockets, and ends those; a program may emit one. */
  emit(this: HttpSocket, event: string | symbol, ...args: unknown[]) {
    if (event === 'error') this._owner.refuse(args[0] as Error);
    // Not that of its connection, which has closed by then: the program has emitted it, and node's server listens.
    if (event === 'close') this._owner.becomeSocket();
    if (event === 'error' && emitter.listenerCount.call(this, event) === 0) return true;
    return emitter.emit.call(this, event, ...args);
  },

  prependListener(this: HttpSocket & NativeSocket, event: string | symbol, listener: Listener) {
    if (needsStream(event)) this._owner.becomeSocket();
    return onEvent(this, 'prependListener', event, listener);
  },

  eventNames(this: EventEmitter) {
    return emitter.eventNames.call(this);
  },

  removeListener(this: EventEmitter, event: string | symbol, listener: Listener) {
    return emitter.removeListener.call(this, event, listener);
  },

  removeAllListeners(this: EventEmitter, event?: string | symbol) {
    return event === undefined ? emitter.removeAllListeners.call(this) : emitter.removeAllListeners.call(this, event);
  },

  // --- writing ---

  write(
    this: HttpSocket,
    data: string | Uint8Array,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback | null,
  ): boolean {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) data = bytesOf(data);
    if (!this.writable) {
      const error = this.destroyed ? writeDestroyedError() : writeAfterEndError();
      process.nextTick(callback ?? nothing, error);
      return false;
    }
    const isCorked = this._outline !== undefined && this._outline.corked > 0;
    const { _owner: owner } = this;
    if (isCorked) return owner.hold(data, encoding ?? 'utf8', callback ?? undefined);
    return owner.write(data, encoding ?? 'utf8', callback ?? undefined);
  },

  end(
    this: HttpSocket & NativeSocket,
    data?: string | Uint8Array | WriteCallback | null,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback,
  ) {
    const last = [data, encoding, callback].find((argument) => typeof argument === 'function');
    if (data !== undefined && data !== null && typeof data !== 'function') {
      this.write(data, typeof encoding === 'function' ? undefined : (encoding ?? undefined), last);
    } else if (last !== undefined) {
      this.write('', 'latin1', last);
    }
    this._owner.finishWriting();
    return this;
  },

  destroySoon(this: HttpSocket) {
    this._owner.destroySoon();
  },

  cork(this: HttpSocket) {
    outlineOf(this).corked++;
  },

  uncork(this: HttpSocket) {
    const outline = outlineOf(this);
    if (outline.corked > 0 && --outline.corked === 0) this._owner.sendHeld();
  },

  // --- ending ---

  destroy(this: HttpSocket, error?: Error | null) {
    this._owner.destroy(error ?? undefined);
    return this;
  },

  resetAndDestroy(this: HttpSocket) {
    if (this.destroyed) return this;
    if (!this._owner.tcp) throw invalidHandleTypeError();
    this._owner.reset();
    return this;
  },

  // --- reading ---

  pause(this: HttpSocket) {
    this._owner.pause();
    return this;
  },

  resume(this: HttpSocket) {
    this._owner.resume();
    return this;
  },

  isPaused(this: HttpSocket) {
    return this._owner.paused;
  },

  // --- options ---

  setTimeout(this: HttpSocket, milliseconds: number, callback?: () => void) {
    if (this.destroyed) return this;
    this.timeout = milliseconds;
    const duration = timerDuration(milliseconds);
    if (callback !== undefined) {
      checkFunction(callback, 'callback');
      if (duration > 0) emitter.once.call(this, 'timeout', callback);
      else emitter.removeListener.call(this, 'timeout', callback);
    }
    setIdleTime(this, duration);
    return this;
  },

  _unrefTimer(this: HttpSocket) {
    this._timer?.touch();
  },

  setNoDelay(this: HttpSocket, enable?: boolean) {
    const value: unknown = enable;
    const { tcp, carrier, id } = engineSide(this);
    if (tcp && id >= 0) carrier.engine.native.setNoDelay(id, value === undefined || Boolean(value));
    return this;
  },

  setKeepAlive(this: HttpSocket, enable?: boolean, initialDelay?: number) {
    const { tcp, carrier, id } = engineSide(this);
    if (tcp && id >= 0) carrier.engine.native.setKeepAlive(id, Boolean(enable), delaySeconds(initialDelay));
    return this;
  },

  ref(this: HttpSocket) {
    const { carrier, id } = engineSide(this);
    if (id >= 0) carrier.engine.native.ref(id, true);
    return this;
  },

  unref(this: HttpSocket) {
    const { carrier, id } = engineSide(this);
    if (id >= 0) carrier.engine.native.ref(id, false);
    return this;
  },

  address(this: HttpSocket) {
    return this._owner.names.own;
  },

  _getpeername(this: HttpSocket) {
    return this._owner.names.peer;
  },

  _getsockname(this: HttpSocket) {
    return this._owner.names.own;
  },

  // --- for its connection ---

  _touch(this: HttpSocket) {
    this._timer?.touch();
  },

  _close(this: HttpSocket) {
    this.readable = this.writable = false;
    this.destroyed = true;
    this._timer?.stop();
    const { _outline: outline } = this;
    if (outline !== undefined) outline.destroyed = outline.closed = true;
  },
};

function engineSide(socket: HttpSocket): StandInConnection & { carrier: { engine: SocketSettings['engine'] } } {
  return socket._owner as StandInConnection & { carrier: { engine: SocketSettings['engine'] } };
}

/** Milliseconds of silence after which its connection is told; 0: never. */
export function setIdleTime(socket: HttpSocket, duration: number): void {
  if (duration === 0 && socket._timer === undefined) return;
  socket._timer ??= new IdleTimer(
    () => {
      socket._owner.onIdle();
    },
    () => now() - (socket._owner.sink?.idle ?? Infinity),
  );
  socket._timer.set(duration);
}

function outlineOf(socket: HttpSocket): StreamOutline {
  const { destroyed } = socket;
  return (socket._outline ??= {
    corked: 0,
    closed: destroyed,
    destroyed,
    needDrain: false,
    autoDestroy: true,
    emitClose: true,
    objectMode: false,
  });
}

/** `read()`, `pipe()` and the like: of the socket that it then is. */
const STREAM_METHODS = [
  'read',
  'pipe',
  'unpipe',
  'unshift',
  'push',
  'setEncoding',
  'wrap',
  'connect',
  Symbol.asyncIterator,
] as const satisfies readonly (keyof Duplex | keyof NativeSocket)[];

function getter(get: (socket: HttpSocket) => unknown): PropertyDescriptor {
  return {
    get(this: HttpSocket) {
      return get(this);
    },
    // A program may set what node's sockets have as an ordinary property.
    set(this: HttpSocket) {
      // The others are read only there too.
    },
    configurable: true,
  };
}

const value = (first: unknown): PropertyDescriptor => ({ value: first, writable: true, configurable: true });

const properties: PropertyDescriptorMap = {
  // First values of own fields: the prototypes above have accessors of these names.
  readable: value(true),
  writable: value(true),
  destroyed: value(false),
  connecting: value(false),
  timeout: value(undefined),
  transport: value('native'),
  allowHalfOpen: value(true),
  errored: value(null),
  _hadError: value(false),
  _paused: value(false),
  _httpMessage: value(null),
  _outline: value(undefined),
  _timer: value(undefined),
  // Other parts of nearwire work on sockets.
  _connection: getter((socket): SocketConnection | undefined => {
    if (socket._owner.closed) return undefined;
    socket._owner.becomeSocket();
    return (socket as unknown as NativeSocket)._connection;
  }),
  parser: getter((socket): unknown => {
    if (socket._owner.closed) return null;
    socket._owner.becomeSocket();
    return (socket as unknown as { parser: unknown }).parser;
  }),
  _settings: getter((socket) => socket._owner.settings),
  _readableState: getter(outlineOf),
  _writableState: getter(outlineOf),
  [DESCRIPTOR]: getter((socket) => {
    const { carrier, id } = engineSide(socket);
    return id < 0 ? -1 : carrier.engine.native.fileDescriptor(id);
  }),
  closed: getter((socket) => socket.destroyed),
  pending: getter((socket) => socket.destroyed),
  readyState: getter((socket) =>
    socket.readable ? (socket.writable ? 'open' : 'readOnly') : socket.writable ? 'writeOnly' : 'closed',
  ),
  bytesRead: getter((socket) => socket._owner.bytesRead + (socket._owner.sink?.underWay ?? 0)),
  bytesWritten: getter((socket) => socket._owner.bytesWritten),
  _bytesDispatched: getter((socket) => socket._owner.bytesWritten),
  writableLength: getter((socket) => socket._owner.waitingBytes),
  bufferSize: getter((socket) => (socket.destroyed ? undefined : socket._owner.waitingBytes)),
  bufferSizes: getter((socket): BufferSizes | undefined => {
    const { carrier, id } = engineSide(socket);
    return id < 0 ? undefined : readBufferSizes(carrier.engine, id);
  }),
  writableNeedDrain: getter((socket) => socket.writable && socket._owner.owesDrain),
  writableCorked: getter((socket) => socket._outline?.corked ?? 0),
  writableEnded: getter((socket) => socket._owner.ended),
  writableFinished: getter((socket) => socket._owner.ended && socket._owner.waitingBytes === 0),
  writableHighWaterMark: getter((socket) => socket._owner.server.highWaterMark),
  readableHighWaterMark: getter((socket) => socket._owner.server.highWaterMark),
  writableObjectMode: getter(() => false),
  readableObjectMode: getter(() => false),
  readableLength: getter(() => 0),
  readableEnded: getter((socket) => socket._owner.peerEnded),
  readableFlowing: getter((socket) => !socket._owner.paused),
  readableEncoding: getter(() => null),
  remoteAddress: getter((socket) => socket._owner.names.peer.address),
  remotePort: getter((socket) => socket._owner.names.peer.port),
  remoteFamily: getter((socket) => socket._owner.names.peer.family),
  localAddress: getter((socket) => socket._owner.names.own.address),
  localPort: getter((socket) => socket._owner.names.own.port),
  localFamily: getter((socket) => socket._owner.names.own.family),
};

for (const name of STREAM_METHODS) {
  properties[name] = {
    value(this: HttpSocket, ...args: unknown[]) {
      this._owner.becomeSocket();
      // It is closed: there is nothing to read.
      if (isStandIn(this)) return name === 'read' ? null : this;
      // Node's server has replaced some of its methods.
      const { [name as 'read']: method } = this as unknown as NativeSocket;
      return Reflect.apply(method as unknown as (...given: unknown[]) => unknown, this, args);
    },
    writable: true,
    configurable: true,
  };
}
for (const [name, method] of Object.entries({
  ...methods,
  addListener: methods.on,
  off: methods.removeListener,
})) {
  properties[name] = value(method);
}

/** Own fields that only a stand-in has. */
export const STAND_IN_FIELDS = ['_owner', '_outline', '_timer', 'readable', 'writable', 'destroyed'] as const;

function Fields(this: HttpSocket, owner: StandInConnection, server: object): void {
  (this as { _owner: StandInConnection })._owner = owner;
  this.server = server;
  this._httpMessage = null;
}
Fields.prototype = Object.create(NativeSocket.prototype, properties) as HttpSocket;

/** Makes a stand-in without the constructors of streams. */
export const StandInSocket = Fields as unknown as new (owner: StandInConnection, server: object) => HttpSocket;

/** Whether it is a stand-in, and has not become a socket. */
export function isStandIn(socket: unknown): socket is HttpSocket {
  return typeof socket === 'object' && socket !== null && Object.getPrototypeOf(socket) === Fields.prototype;
}
