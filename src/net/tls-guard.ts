/**
 * Guards against TLS that was not prepared for native sockets: as they have none of node's handles, it takes a
 * connected one for one that is still connecting, and would wait forever.
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
  // Hardly any code listens for 'connect' on a connected socket, so finding out who does may be expensive.
  if (event === 'connect' && !this.connecting && this._connection?.open === true && isCalledByTls()) {
    throw tlsNeedsHandleError();
  }
  return inherited.call(this, event, listener);
};

let installed = false;

/** Makes TLS throw for such a socket. Further calls do nothing. */
export function installTlsGuard(): void {
  if (installed) return;
  installed = true;
  Object.defineProperty(NativeSocket.prototype, 'once', { value: once, writable: true, configurable: true });
}
