/** The getters of `net.Socket.prototype` for a native socket, backed by its connection. */
import { DESCRIPTOR } from '../engine/descriptor.js';
import type { Engine } from '../engine/engine.js';
import type { NativeEndpoint } from '../binding/addon.js';
import { NO_HANDLE } from '../node/handles.js';
import type { BufferSizes } from '../config/options.js';
import type { SocketFields } from './socket-fields.js';
import { type HeldWrite, writableState } from '../node/stream-state.js';

/** True while there is a socket underneath, connected or connecting. */
export function isOpen(socket: SocketFields): boolean {
  return socket._connection?.open === true;
}

function byteLength({ chunk, encoding }: Pick<HeldWrite, 'chunk' | 'encoding'>): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
}

/** The bytes given to the connection, and those still waiting for it. */
function bytesWritten(socket: SocketFields): number {
  let bytes = socket._connection?.totalWritten ?? 0;
  for (const write of socket._held ?? []) bytes += byteLength(write);
  for (const part of socket._earlyWrite?.parts ?? []) bytes += part.length;
  for (const write of writableState(socket).getBuffer()) bytes += byteLength(write);
  return bytes;
}

function writableLength(socket: SocketFields): number {
  const { length } = writableState(socket);
  // While the stream has a pending write, its length includes what the connection has queued of it.
  return length > 0 ? length : socket._heldLength + (socket._connection?.queued ?? 0);
}

function readyState(socket: SocketFields): string {
  if (socket.connecting) return 'opening';
  if (socket.readable) return socket.writable ? 'open' : 'readOnly';
  return socket.writable ? 'writeOnly' : 'closed';
}

function bufferSizes(socket: SocketFields): BufferSizes | undefined {
  const connection = socket._connection;
  return connection === undefined || !connection.open ? undefined : readBufferSizes(connection.engine, connection.id);
}

/** SO_SNDBUF and SO_RCVBUF of a connection, as the kernel reports them. */
export function readBufferSizes(engine: Engine, id: number): BufferSizes | undefined {
  const sizes = engine.native.bufferSizes(id);
  return typeof sizes === 'number' ? undefined : { send: sizes[0], recv: sizes[1] };
}

/** The peer's address; as in node, once read it stays known after the end. */
export function peerName(socket: SocketFields): NativeEndpoint {
  const connection = socket._connection;
  if (socket._peerName !== undefined) return socket._peerName;
  if (connection === undefined || !connection.open || !connection.tcp || socket.connecting) return {};
  const name = connection.engine.native.peerAddress(connection.id);
  if (typeof name === 'number') return {};
  return (socket._peerName = name);
}

export function ownName(socket: SocketFields): NativeEndpoint {
  const connection = socket._connection;
  if (connection === undefined || !connection.open || !connection.tcp) return {};
  if (socket._ownName !== undefined) return socket._ownName;
  const name = connection.engine.native.localAddress(connection.id);
  if (typeof name === 'number') return {};
  // While connecting it may still change.
  if (!socket.connecting) socket._ownName = name;
  return name;
}

/**
 * node:http stores here which message currently owns the connection. If an agent gives a request to a connection that
 * has served others, the connection's events run in the request's async context from then on: node's agent asks the
 * handle for that (`asyncReset`), and there is none here.
 */
const httpMessage: PropertyDescriptor = {
  configurable: true,
  get(this: SocketFields) {
    return this._message;
  },
  set(this: SocketFields, message: unknown) {
    const isReused = this._message !== undefined;
    this._message = message;
    if (isReused && typeof message === 'object' && message !== null && 'agent' in message)
      this._connection?.renewScope();
  },
};

function getter(answer: (socket: SocketFields) => unknown): PropertyDescriptor {
  return {
    configurable: true,
    get(this: SocketFields) {
      return answer(this);
    },
  };
}

/** For the prototype. The types are those of net.Socket. */
export const socketProperties: PropertyDescriptorMap = {
  [DESCRIPTOR]: getter((socket) => socket._connection?.[DESCRIPTOR] ?? -1),
  transport: { value: 'native', enumerable: true, configurable: true },
  // TLS walks from its own socket up through this field to refresh all timeouts.
  _parent: { value: null, writable: true, configurable: true },
  // The values of node's own sockets where they have none.
  ...NO_HANDLE,
  _host: { value: null, writable: true, configurable: true },
  _httpMessage: httpMessage,
  pending: getter((socket) => socket.connecting || !isOpen(socket)),
  _connecting: getter((socket) => socket.connecting),
  readyState: getter(readyState),
  bytesRead: getter((socket) => socket._connection?.totalRead ?? 0),
  bytesWritten: getter(bytesWritten),
  _bytesDispatched: getter((socket) => socket._connection?.totalWritten ?? 0),
  writableLength: getter(writableLength),
  // Without a handle, node's is undefined, despite its type.
  bufferSize: getter((socket) => (socket.connecting || isOpen(socket) ? writableLength(socket) : undefined)),
  bufferSizes: getter(bufferSizes),
  remoteAddress: getter((socket) => peerName(socket).address),
  remotePort: getter((socket) => peerName(socket).port),
  remoteFamily: getter((socket) => peerName(socket).family),
  localAddress: getter((socket) => ownName(socket).address),
  localPort: getter((socket) => ownName(socket).port),
  localFamily: getter((socket) => ownName(socket).family),
};
