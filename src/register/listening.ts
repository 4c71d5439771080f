/**
 * Patches listening, for `nearwire/register`: all servers, whatever their class, go through one internal step of
 * node's.
 */
import { createRequire } from 'node:module';
import type * as net from 'node:net';
import { shareInCluster } from '../cluster/worker.js';
import { isJs } from '../net/js.js';
import { NativeListening, originalListen2 } from '../net/listen.js';
import { readsHandles } from '../net/node-streams.js';
import type { ListenStep } from '../node/server-internals.js';
import type { Reach } from './reach.js';

const nodeNet = createRequire(import.meta.url)('node:net') as typeof net;

export function patchListening(reach: Reach): void {
  // Not TLS and HTTP/2: each of their connections would be converted to node's own at once.
  const listensNatively = (server: net.Server, addressType: number | null): boolean =>
    !readsHandles(server) && !isJs(server) && reach.listens(addressType);
  shareInCluster(listensNatively);
  const listenStep: ListenStep = function setupListenHandle(...args) {
    const [, , addressType] = args;
    if (!listensNatively(this, addressType)) {
      originalListen2.apply(this, args);
      return;
    }
    const listening = new NativeListening(this, reach.engine, { choice: 'auto', buffers: undefined });
    Object.defineProperties(this, {
      transport: { get: () => listening.transport, configurable: true },
      bufferSizes: { get: () => listening.bufferSizes, configurable: true },
    });
    listening.listen(...args);
  };
  (nodeNet.Server.prototype as net.Server & { _listen2: ListenStep })._listen2 = listenStep;
}
