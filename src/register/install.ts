/** What `nearwire/register` changes in node's modules: where servers listen and where sockets connect, and what goes with it. */
import { installRequestReader } from '../http/served-parsers.js';
import { install } from './install-natively.js';
import { engineFor, requestedTransport } from '../engine/transport.js';
import { patchActiveHandles } from './active-handles.js';
import { patchConnecting } from './connecting.js';
import { patchListening } from './listening.js';
import { patchMethods } from './methods.js';
import { Reach } from './reach.js';

/** `1`: TCP goes over nearwire as well. */
const TCP_VARIABLE = 'NEARWIRE_TCP';

let registered = false;

/**
 * Has every server of this thread that listens on a path, and every socket that connects to one, use the native engine;
 * with `NEARWIRE_TCP=1` TCP as well. What the engine can't serve stays with node:net: descriptors and handles of others,
 * the sockets of TLS and of subclasses of net.Socket. Once is enough; again does nothing.
 *
 * With `NEARWIRE_TRANSPORT=js`, or where the addon is not there, nothing is changed. Throws ERR_NEARWIRE_NO_ADDON if
 * `NEARWIRE_TRANSPORT=native` and the addon is not there.
 */
export function registerTransport(): void {
  if (registered) return;
  registered = true;
  const engine = engineFor(requestedTransport(undefined));
  if (engine === undefined) return;
  const reach = new Reach(engine, process.env[TCP_VARIABLE] === '1');
  install();
  patchListening(reach);
  patchConnecting(reach);
  patchMethods();
  patchActiveHandles(engine);
  installRequestReader();
}
