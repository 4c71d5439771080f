/** A server's listening socket, for another thread. */
import type * as net from 'node:net';
import { getEngine } from '../engine/thread-engine.js';
import { argTypeError, errnoError, noAddonError, notListeningError, notNativeError } from '../errors/index.js';
import { descriptorOfHandle, handleOf } from '../node/handles.js';
import { addonStatus } from '../binding/addon.js';

/**
 * Answers a descriptor, of its own, of the socket that the server listens on, for another thread of this process to
 * `listen({ fd })` on: post the number to a worker. Connections then go to whichever thread takes them first, and each
 * closes its own: a worker that ends takes no connection of another's with it. Whoever listens on the descriptor owns it;
 * one that nobody listens on stays open until the process ends.
 *
 * The server may be any that listens by a path or a port, `js` and node:net's own as well, but the addon must be there to
 * duplicate the descriptor: ERR_NEARWIRE_NO_ADDON otherwise. ERR_SERVER_NOT_RUNNING: it does not listen.
 * ERR_NEARWIRE_NOT_NATIVE: a cluster worker's server, whose socket is the primary's.
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
