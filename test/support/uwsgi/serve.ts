/** A uwsgi server for the length of a test. */
import { once } from 'node:events';
import type * as http from 'node:http';
import { createServer, type Server, type UwsgiRequest, type UwsgiServerOptions } from 'nearwire/uwsgi';
import { cleanup, socketPath } from '../sockets.js';
import type { Family } from '../subjects.js';
import type { Target } from './packets.js';

export type Handler = (request: UwsgiRequest, response: http.ServerResponse) => unknown;

export interface Served {
  server: Server;
  target: Target;
}

export async function listenUwsgi(server: http.Server, family: Family = 'unix'): Promise<Target> {
  const path = family === 'unix' ? socketPath() : undefined;
  cleanup(() => {
    server.closeAllConnections();
    if (server.listening) server.close();
  });
  server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path });
  await once(server, 'listening');
  if (path !== undefined) return { path };
  const { port } = server.address() as { port: number };
  return { host: '127.0.0.1', port };
}

export async function serveUwsgi(options: UwsgiServerOptions, handler: Handler, family?: Family): Promise<Served> {
  const server = createServer(options, handler);
  return { server, target: await listenUwsgi(server, family) };
}

/** All of a request's body. */
export async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
