/** Ports for servers that must be told one. */
import { randomInt } from 'node:crypto';
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
  const above = firstEphemeral();
  for (let tries = 0; tries < TRIES; tries++) {
    // The range may reach down to the ports that need privileges: then it is the kernel that chooses.
    const port = await bind(above > LOWEST + TRIES ? randomInt(LOWEST, above) : 0);
    if (port !== undefined) return port;
  }
  throw new Error('no port of 127.0.0.1 is free');
}

function firstEphemeral(): number {
  try {
    return parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return USUAL_FIRST_EPHEMERAL;
  }
}

/** The port that was bound, and is free again; undefined: it is not. */
async function bind(port: number): Promise<number | undefined> {
  const server = net.createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const bound = (server.address() as net.AddressInfo).port;
  await once(server.close(), 'close');
  return bound;
}
