/** The handle under a socket or server of node's: an object of its C++, which node keeps in a field of its own. */
import * as net from 'node:net';

interface Holder {
  _handle?: unknown;
}

/** undefined or null: it has none now. */
export function handleOf(holder: object): unknown {
  return (holder as Holder)._handle;
}

export function setHandle(holder: object, handle: object | null): void {
  (holder as Holder)._handle = handle;
}

/** The descriptor of a handle; undefined for one that has none, such as that of a cluster's worker. */
export function descriptorOfHandle(handle: unknown): number | undefined {
  const { fd } = (handle ?? {}) as { fd?: unknown };
  return typeof fd === 'number' ? fd : undefined;
}

/** For the prototype of a socket that has no handle: node's own code looks for one, and takes it for any other stream then. */
export const NO_HANDLE: PropertyDescriptorMap = { _handle: { value: null, writable: true, configurable: true } };

/** A server as node's own code knows one, with this handle. */
export function serverWithHandle(handle: unknown): net.Server {
  return Object.create(net.Server.prototype, { _handle: { value: handle } }) as net.Server;
}
