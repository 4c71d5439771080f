/** For `nearwire/register` with `NEARWIRE_HTTP_STRICT=1`: all servers of node:http are strict when they begin to listen. */
import { createRequire } from 'node:module';
import type * as net from 'node:net';
import { isHttpServer } from '../http/serve-plain.js';
import { makeStrictByDefault } from '../http/strict/servers.js';
import type { ListenStep, ServerInternals } from '../node/server-internals.js';

const nodeNet = createRequire(import.meta.url)('node:net') as typeof net;

/** Call it when all else of this step's is in place. */
export function patchStrictness(): void {
  const prototype = nodeNet.Server.prototype as net.Server & ServerInternals;
  const { _listen2: listen } = prototype;
  const listenStep: ListenStep = function setupListenHandle(...args) {
    if (isHttpServer(this)) makeStrictByDefault(this);
    listen.apply(this, args);
  };
  prototype._listen2 = listenStep;
}
