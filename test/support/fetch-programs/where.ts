import type * as net from 'node:net';
import type { OwnServer } from './contract.js';

/** Of a server that listens by TCP. */
export function whereListens(server: unknown): OwnServer {
  const own = server as net.Server & { closeAllConnections(): void };
  const { port } = own.address() as net.AddressInfo;
  return {
    address: { host: '127.0.0.1', port },
    close() {
      own.close();
      own.closeAllConnections();
    },
  };
}
