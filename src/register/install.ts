/**
 * Installs the changes of `nearwire/register` to node's modules: where servers listen, where sockets connect, and
 * related functions.
 */
import { installPlainServing } from '../http/serve-plain.js';
import { isStrictByDefault } from '../http/strict/servers.js';
import { registerFileStreams } from '../http/piped-files.js';
import { followParsers } from '../http/follow-parsers.js';
import { noteSocketMethods } from '../http/socket-methods.js';
import { install } from './install-natively.js';
import type { Engine } from '../engine/engine.js';
import { engineFor, requestedTransport } from '../engine/transport.js';
import { patchActiveHandles } from './active-handles.js';
import { patchConnecting } from './connecting.js';
import { patchListening } from './listening.js';
import { patchMethods } from './methods.js';
import { patchStrictness } from './strictness.js';
import { Reach } from './reach.js';

/** `1`: TCP is carried by nearwire as well. */
const TCP_VARIABLE = 'NEARWIRE_TCP';

let registered = false;

/**
 * Makes every server of this thread that listens on a path, and every socket that connects to one, use the native
 * engine; with `NEARWIRE_TCP=1` TCP as well. What the engine cannot carry stays with node:net: descriptors and handles
 * opened elsewhere, and the sockets of TLS and of subclasses of net.Socket. One call is enough; further calls do
 * nothing.
 *
 * With `NEARWIRE_HTTP_STRICT=1` all servers of node:http are strict, whatever carries their connections.
 *
 * With `NEARWIRE_TRANSPORT=js`, or without the addon, nothing else is changed. Throws ERR_NEARWIRE_NO_ADDON if
 * `NEARWIRE_TRANSPORT=native` and the addon did not load.
 */
export function registerTransport(): void {
  if (registered) return;
  registered = true;
  const engine = engineFor(requestedTransport(undefined));
  if (engine !== undefined) installNatively(engine);
  if (isStrictByDefault()) patchStrictness();
}

function installNatively(engine: Engine): void {
  const reach = new Reach(engine, process.env[TCP_VARIABLE] === '1');
  install();
  patchListening(reach);
  patchConnecting(reach);
  patchMethods();
  noteSocketMethods();
  patchActiveHandles(engine);
  followParsers();
  installPlainServing();
  registerFileStreams();
}
