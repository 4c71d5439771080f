/**
 * The two roads by which a program comes to nearwire. `api`: it calls nearwire's functions. `register`: it is written
 * for node alone, and `nearwire/register` was preloaded.
 */
import * as http from 'node:http';
import * as net from 'node:net';

export type Road = 'api' | 'register';

/** What a program asks of its platform: node's own functions, or ours in their place. */
export interface Seam {
  createServer(options: http.ServerOptions, listener?: http.RequestListener): http.Server;
  attach<T extends http.Server>(server: T): T;
  agent(options: http.AgentOptions): http.Agent;
  connect(options: net.NetConnectOpts): net.Socket;
  /** A socket that is not connected yet. */
  socket(): net.Socket;
}

const node: Seam = {
  createServer: (options, listener) => http.createServer(options, listener),
  attach: (server) => server,
  agent: (options) => new http.Agent(options),
  connect: (options) => net.connect(options),
  socket: () => new net.Socket(),
};

export async function openSeam(road: Road): Promise<Seam> {
  if (road === 'register') return node;
  const nearwire = await import('nearwire');
  const ours = await import('nearwire/http');
  return {
    createServer: (options, listener) => ours.createServer(options, listener),
    attach: (server) => ours.attach(server),
    agent: (options) => new ours.Agent(options),
    connect: (options) => nearwire.connect(options),
    socket: () => new nearwire.Socket(),
  };
}

/** Where a server listens. */
export type Address = { path: string } | { host: string; port: number };

/** The address in the form of a URL's origin; a UNIX socket's name stands beside it. */
export function originOf(address: Address): string {
  return 'path' in address ? 'http://localhost' : `http://${address.host}:${String(address.port)}`;
}

/** The options that have http.request, or an agent, reach the address. */
export function targetOf(address: Address): { socketPath: string } | { host: string; port: number } {
  return 'path' in address ? { socketPath: address.path } : address;
}

/** How many sockets are of which transport; node's own say nothing of it. */
export function countTransports(sockets: readonly object[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const socket of sockets) {
    const name = 'transport' in socket ? String(socket.transport) : 'node:net';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
