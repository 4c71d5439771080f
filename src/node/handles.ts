/** The handle under one of node's sockets or servers: an object of node's C++, in the private field `_handle`. */
import * as net from 'node:net';

interface Holder {
  _handle?: unknown;
}

/** undefined or null: it currently has none. */
export function handleOf(holder: object): unknown {
  return (holder as Holder)._handle;
}

export function setHandle(holder: object, handle: object | null): void {
  (holder as Holder)._handle = handle;
}

/** The descriptor of a handle; undefined for a handle without one, such as that of a cluster worker. */
export function descriptorOfHandle(handle: unknown): number | undefined {
  const { fd } = (handle ?? {}) as { fd?: unknown };
  return typeof fd === 'number' ? fd : undefined;
}

/**
 * For the prototype of a socket without a handle: node's own code checks the field, and then treats the socket as an
 * ordinary stream.
 */
export const NO_HANDLE: PropertyDescriptorMap = { _handle: { value: null, writable: true, configurable: true } };

/** A server as node's own code expects one, with this handle. */
export function serverWithHandle(handle: unknown): net.Server {
  return Object.create(net.Server.prototype, { _handle: { value: handle } }) as net.Server;
}
