import { Pool, type buildConnector } from 'undici';
import { originOf, targetOf, type Address, type Road, type Seam } from '../seam.js';
import type { Sender } from '../work.js';

/** The way of undici to a socket of one's own. */
function connectorOf(seam: Seam, address: Address): buildConnector.connector {
  return (_, callback) => {
    const socket = seam.connect(address);
    const failed = (error: Error): void => {
      callback(error, null);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      callback(null, socket);
    });
  };
}

export function start(seam: Seam, address: Address, road: Road): Sender {
  const connect = road === 'api' ? connectorOf(seam, address) : 'path' in address ? targetOf(address) : {};
  const pool = new Pool(originOf(address), { connect, pipelining: 1 });
  return async (request) => {
    const { statusCode, body } = await pool.request(request);
    return { status: statusCode, body };
  };
}
