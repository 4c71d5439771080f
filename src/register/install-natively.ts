/** What node's own modules have to learn so that native sockets and servers can be given to them. */
import { installPrimary } from '../cluster/primary.js';
import { installWorker } from '../cluster/worker.js';
import { addonStatus } from '../binding/addon.js';
import { installIpc } from '../net/ipc.js';
import { installNodeStreams } from '../net/node-streams.js';

let installed = false;

/**
 * Has node's own modules take native sockets and servers where they take their own: TLS and HTTP/2 over a native socket,
 * `child.send(message, socket)` and `spawn(..., { stdio: [socket] })`, and clusters whose workers share a listening socket.
 * `nearwire/register` does this and more; no import of anything else does. Call it at the start of a program that needs one of
 * these, in the primary of a cluster and in its workers alike.
 *
 * docs/compatibility.md lists what it changes. Once is enough; again, or where the addon is not there, it does nothing.
 */
export function install(): void {
  if (installed || addonStatus().addon === undefined) return;
  installed = true;
  installPrimary();
  installWorker();
  installNodeStreams();
  installIpc();
}
