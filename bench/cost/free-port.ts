/** Free ports, for servers that must be given one. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';

/** IANA's first ephemeral port, if the system does not report its own range. */
const USUAL_FIRST_EPHEMERAL = 49_152;
const LOWEST = 10_000;
const TRIES = 200;

/**
 * A port of 127.0.0.1 without a listener, below the range for outgoing connections: otherwise one of the many
 * connections of a load could take it before the server starts, or while it restarts.
 */
export async function freePort(): Promise<number> {
  const above = firstEphemeral();
  for (let tries = 0; tries < TRIES; tries++) {
    // The range may extend down to the privileged ports: then the kernel chooses.
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

/** The port that was bound, and is free again; undefined: it was not free. */
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
