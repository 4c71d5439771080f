/** The options and addresses of the object behind `req.socket`: see stand-in.ts. */
import { EventEmitter } from 'node:events';
import { checkFunction, type BufferSizes } from '../config/options.js';
import { DESCRIPTOR } from '../engine/descriptor.js';
import { makeIdleTimer } from '../exchange/stand-in.js';
import { timerDuration } from '../net/idle-timer.js';
import { delaySeconds, type SocketSettings } from '../net/socket-options.js';
import { readBufferSizes } from '../net/socket-properties.js';
import type { HttpSocket, StandInConnection } from './http-socket.js';

const emitter = EventEmitter.prototype;

function engineSide(socket: HttpSocket): StandInConnection & { carrier: { engine: SocketSettings['engine'] } } {
  return socket._owner as StandInConnection & { carrier: { engine: SocketSettings['engine'] } };
}

/** Milliseconds of silence after which its connection is told; 0: never. */
export function setIdleTime(socket: HttpSocket, duration: number): void {
  if (duration === 0 && socket._timer === undefined) return;
  socket._timer ??= makeIdleTimer(socket._owner);
  socket._timer.set(duration);
}

export const optionMethods = {
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
};

export function getter(get: (socket: HttpSocket) => unknown): PropertyDescriptor {
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

export const optionProperties: PropertyDescriptorMap = {
  _settings: getter((socket) => socket._owner.settings),
  [DESCRIPTOR]: getter((socket) => {
    const { carrier, id } = engineSide(socket);
    return id < 0 ? -1 : carrier.engine.native.fileDescriptor(id);
  }),
  bufferSizes: getter((socket): BufferSizes | undefined => {
    const { carrier, id } = engineSide(socket);
    return id < 0 ? undefined : readBufferSizes(carrier.engine, id);
  }),
  remoteAddress: getter((socket) => socket._owner.names.peer.address),
  remotePort: getter((socket) => socket._owner.names.peer.port),
  remoteFamily: getter((socket) => socket._owner.names.peer.family),
  localAddress: getter((socket) => socket._owner.names.own.address),
  localPort: getter((socket) => socket._owner.names.own.port),
  localFamily: getter((socket) => socket._owner.names.own.family),
};
