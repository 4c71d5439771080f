/** Shares a server's listening socket with another thread. */
import type * as net from 'node:net';
import { getEngine } from '../engine/thread-engine.js';
import { argTypeError, errnoError, noAddonError, notListeningError, notNativeError } from '../errors/index.js';
import { descriptorOfHandle, handleOf } from '../node/handles.js';
import { addonStatus } from '../binding/addon.js';

/**
 * Returns a new descriptor of the server's listening socket, for another thread of this process to `listen({ fd })` on:
 * post the number to a worker. Each connection then goes to the thread that accepts it first. Each thread closes its
 * own descriptor, so a worker that ends does not affect the connections of others. The listener on a descriptor owns
 * it; a descriptor without one stays open until the process ends.
 *
 * The server may listen on a path or a port, and may be `js` or node:net's own, but duplicating the descriptor needs
 * the addon: ERR_NEARWIRE_NO_ADDON otherwise. ERR_SERVER_NOT_RUNNING: it does not listen. ERR_NEARWIRE_NOT_NATIVE: a
 * cluster worker's server, whose socket belongs to the primary.
 */
export function shareListener(server: net.Server): number {
  const value: unknown = server;
  if (typeof value !== 'object' || value === null) throw argTypeError('server', 'an instance of Server', server);
  const handle = handleOf(value);
  if (handle === null || handle === undefined) throw notListeningError();
  const listening = descriptorOfHandle(handle);
  if (listening === undefined) throw notNativeError('a server whose socket belongs to the primary of its cluster');
  const engine = getEngine();
  if (engine === undefined) throw noAddonError(addonStatus().reason);
  const fd = engine.native.duplicate(listening);
  if (fd < 0) throw errnoError(fd, 'dup');
  return fd;
}
