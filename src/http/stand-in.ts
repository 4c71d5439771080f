/**
 * The object behind `req.socket` while a connection's requests are read without a stream: to programs a `net.Socket`,
 * and to node's ServerResponse as much of one as it uses. It costs five fields.
 *
 * Whatever needs more (its streams, its place in other parts of nearwire) turns it into a NativeSocket: the same
 * object, with other methods. See become-socket.ts.
 */
import type { Duplex } from 'node:stream';
import { EventEmitter } from 'node:events';
import { invalidHandleTypeError } from '../errors/index.js';
import type { Outgoing } from '../exchange/contracts.js';
import { closeSocket, endOn, makeOutline, readyStateOf, writeOn, type StreamOutline } from '../exchange/stand-in.js';
import { NativeSocket } from '../net/socket.js';
import type { SocketConnection } from '../net/socket-connection.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { HttpSocket, StandInConnection } from './http-socket.js';
import { getter, optionMethods, optionProperties } from './stand-in-options.js';

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
    if (event === 'error') this._owner.tellError(args[0]);
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
    const { _outline: outline } = this;
    return writeOn(this, data, encoding, callback, outline !== undefined && outline.corked > 0);
  },

  end(
    this: HttpSocket & NativeSocket,
    data?: string | Uint8Array | WriteCallback | null,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback,
  ) {
    endOn(this, data, encoding, callback);
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

  // --- for its connection ---

  _touch(this: HttpSocket) {
    this._timer?.touch();
  },

  _close(this: HttpSocket) {
    closeSocket(this, this._outline, this._timer);
  },
};

function outlineOf(socket: HttpSocket): StreamOutline {
  return (socket._outline ??= makeOutline(socket.destroyed));
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
  // As a native socket has it, so that the field can stay when it becomes one.
  _httpMessage: {
    get(this: HttpSocket) {
      return this._message;
    },
    set(this: HttpSocket, message: Outgoing | null) {
      this._message = message;
    },
    configurable: true,
  },
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
  _readableState: getter(outlineOf),
  _writableState: getter(outlineOf),
  closed: getter((socket) => socket.destroyed),
  pending: getter((socket) => socket.destroyed),
  readyState: getter(readyStateOf),
  bytesRead: getter((socket) => socket._owner.bytesRead + (socket._owner.sink?.underWay ?? 0)),
  bytesWritten: getter((socket) => socket._owner.bytesWritten),
  _bytesDispatched: getter((socket) => socket._owner.bytesWritten),
  writableLength: getter((socket) => socket._owner.waitingBytes),
  bufferSize: getter((socket) => (socket.destroyed ? undefined : socket._owner.waitingBytes)),
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
  ...optionProperties,
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
  ...optionMethods,
  addListener: methods.on,
  off: methods.removeListener,
})) {
  properties[name] = value(method);
}

/** Own fields that only a stand-in has, and that a stream may keep. */
const OWN_FIELDS = ['_owner', '_outline', '_timer', '_message'] as const;
/** Own fields, if they have ever changed, for which a stream's prototype has accessors. */
const SHADOWING_FIELDS = ['readable', 'writable', 'destroyed'] as const;

/**
 * Makes it an object without the state of a stand-in. Only fields that would be in the way are deleted: V8 keeps an object
 * that has lost one as a dictionary from then on, in which each look at a field takes ten times as long.
 */
export function clearStandIn(standIn: HttpSocket): void {
  const fields = standIn as object as Record<string, unknown>;
  for (const name of OWN_FIELDS) if (Object.hasOwn(fields, name)) fields[name] = undefined;
  for (const name of SHADOWING_FIELDS) Reflect.deleteProperty(fields, name);
}

function Fields(this: HttpSocket, owner: StandInConnection, server: object): void {
  (this as { _owner: StandInConnection })._owner = owner;
  this.server = server;
  this._message = null;
}
Fields.prototype = Object.create(NativeSocket.prototype, properties) as HttpSocket;

/** Makes a stand-in without the constructors of streams. */
export const StandInSocket = Fields as unknown as new (owner: StandInConnection, server: object) => HttpSocket;

/** Whether it is a stand-in, and has not become a socket. */
export function isStandIn(socket: unknown): socket is HttpSocket {
  return typeof socket === 'object' && socket !== null && Object.getPrototypeOf(socket) === Fields.prototype;
}
