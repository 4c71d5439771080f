/** Ports for servers that must be told one. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';

/** IANA's first port for connections, where the system tells no range of its own. */
const USUAL_FIRST_EPHEMERAL = 49_152;
const LOWEST = 10_000;
const TRIES = 200;

/**
 * A port of 127.0.0.1 on which nothing listens, below those that the kernel gives to outgoing connections: one of the
 * many that a load makes would else take it before the server is there, or while it restarts.
 */
export async function freePort(): Promise<number> {
  const above = Math.min(firstEphemeral(), 65_535);
  const range = above - LOWEST;
  for (let i = 0; i < TRIES && range > TRIES; i++) {
    const port = LOWEST + Math.floor(Math.random() * range);
    if (await bind(port)) return port;
  }
  // The range reaches down to the ports that need privileges, or is in use as a whole.
  const port = await bind(0);
  if (port === undefined) throw new Error('no port of 127.0.0.1 is free');
  return port;
}

function firstEphemeral(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/)[0]);
  } catch {
    return USUAL_FIRST_EPHEMERAL;
  }
}

/** The port that was bound, and is free again. */
async function bind(port: number): Promise<number | undefined> {
  const server = net.createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once('listening', () => {
      resolve(true);
    });
    server.once('error', () => {
      resolve(false);
    });
  });
  server.listen(port, '127.0.0.1');
  if (!(await listening)) return undefined;
  const bound = (server.address() as net.AddressInfo).port;
  server.close();
  await once(server, 'close');
  return bound;
}
