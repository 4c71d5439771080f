/** Makes node's own modules accept native sockets and servers. */
import { installPrimary } from '../cluster/primary.js';
import { installWorker } from '../cluster/worker.js';
import { addonStatus } from '../binding/addon.js';
import { installIpc } from '../net/ipc.js';
import { installNodeStreams } from '../net/node-streams.js';

let installed = false;

/**
 * Makes node's own modules accept native sockets and servers where they accept their own: TLS and HTTP/2 over a native
 * socket, `child.send(message, socket)` and `spawn(..., { stdio: [socket] })`, and clusters whose workers share a
 * listening socket. `nearwire/register` does this and more; no other import does. Call it at the start of a program
 * that needs one of these, and in a cluster both in the primary and in its workers.
 *
 * docs/compatibility.md lists what it changes. One call is enough; further calls do nothing, and neither does a call
 * without the addon.
 */
export function install(): void {
  if (installed || addonStatus().addon === undefined) return;
  installed = true;
  installPrimary();
  installWorker();
  installNodeStreams();
  installIpc();
}
