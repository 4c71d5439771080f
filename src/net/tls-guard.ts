/**
 * TLS that has not been told of native sockets: it takes one that is connected for one that connects, as it has no handle of
 * node's, and would wait for ever.
 */
import { tlsNeedsHandleError } from '../errors/index.js';
import { NativeSocket } from './socket.js';

type Once = (this: NativeSocket, event: string | symbol, listener: () => void) => NativeSocket;

const inherited = Reflect.get(NativeSocket.prototype, 'once') as Once;

/** Whether this is called from the constructor of node's TLSSocket. */
function isCalledByTls(): boolean {
  return new Error().stack?.includes('new TLSSocket (node:') === true;
}

const once: Once = function once(event, listener) {
  // Next to nobody listens for a connection that is there: it may cost something to look who does.
  if (event === 'connect' && !this.connecting && this._connection?.open === true && isCalledByTls()) {
    throw tlsNeedsHandleError();
  }
  return inherited.call(this, event, listener);
};

let installed = false;

/** Has TLS throw for such a socket. Once is enough; again does nothing. */
export function installTlsGuard(): void {
  if (installed) return;
  installed = true;
  Object.defineProperty(NativeSocket.prototype, 'once', { value: once, writable: true, configurable: true });
}
