/** Has an `http.Server`'s native connections served without streams and without node's parser: see connection.ts. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { argValueError } from '../errors/index.js';
import { announceLater } from '../exchange/announcement.js';
import { setDelegateFinder, type AcceptDelegate, type AcceptingListener } from '../net/accept-delegate.js';
import { acceptedSockets } from '../net/server-listener.js';
import { checkMessages } from '../node/http-messages.js';
import { httpServerFacts, otherConnectionListeners, type ServerWithFields } from '../node/http-server.js';
import { nodeHttp } from '../runtime/http.js';
import { connections, type ConnectionEvent } from '../stats/events.js';
import { HttpConnection } from './connection.js';
import { FetchConnection, servedWithoutMessages } from './fetch-connection.js';
import { HttpHost } from './host.js';
import { StrictHost } from './strict/host.js';
import { isStrict } from './strict/servers.js';
import { learnParser } from './plain-request.js';
import { areReplaced } from './socket-methods.js';

/** `node`: all requests are served by node's own code. */
const ENGINE_VARIABLE = 'NEARWIRE_HTTP';

/** The protocol of all delegates that are made here. */
export const HTTP = 'http';

let isKnown: boolean | undefined;

/** Whether this node's servers, messages and parser are as the engine expects. */
function knowsNode(): boolean {
  if (isKnown !== undefined) return isKnown;
  try {
    checkMessages();
    isKnown = learnParser(httpServerFacts()?.parserClass);
  } catch {
    isKnown = false;
  }
  return isKnown;
}

/** Whether the environment leaves requests to node's own code. */
function isTurnedOff(): boolean {
  const engine = process.env[ENGINE_VARIABLE];
  if (engine !== undefined && engine !== '' && engine !== 'node' && engine !== 'nearwire') {
    throw argValueError(ENGINE_VARIABLE, engine, "must be 'nearwire' or 'node'");
  }
  return engine === 'node';
}

/** All http.Servers that listen natively from now on. */
export function installPlainServing(): void {
  if (!isTurnedOff()) setDelegateFinder(servePlain);
}

/** Who serves the plain requests of node:http servers on native connections. */
export function plainRequestsBy(): 'nearwire' | 'node' {
  return !isTurnedOff() && knowsNode() ? 'nearwire' : 'node';
}

const left = new WeakSet<net.Server>();

/** All requests of this server are node's matter. */
export function leaveToNode(server: http.Server): void {
  left.add(server);
}

/** Servers of node:http, without loading it for others. */
export function isHttpServer(server: net.Server): server is ServerWithFields {
  return 'closeIdleConnections' in server && server instanceof nodeHttp.Server;
}

function servePlain(server: net.Server): AcceptDelegate | undefined {
  if (left.has(server) || !isHttpServer(server) || !knowsNode()) return undefined;
  const host = isStrict(server) ? new StrictHost(server) : new HttpHost(server);
  listConnections(server, host);
  return {
    protocol: HTTP,
    peerSpeaksFirst: false,
    owned: true,
    take: (listener, id, insideClose) => take(host, listener, id, insideClose),
  };
}

/** Node's own list has only the connections that its parsers read. */
function listConnections(server: http.Server, host: HttpHost): void {
  const { closeAllConnections, closeIdleConnections } = server;
  server.closeAllConnections = function () {
    host.closeAll();
    closeAllConnections.call(server);
  };
  server.closeIdleConnections = function () {
    host.closeIdle();
    host.closeIdleOfNode(() => {
      closeIdleConnections.call(server);
    });
  };
}

function take(host: HttpHost, listener: AcceptingListener, id: number, insideClose: boolean): boolean {
  if (!host.servesPlain || areReplaced()) return false;
  // Requests are served in the async context of listen(), as in node.
  if (insideClose) admit(host, listener, id, true);
  else listener.announce(admit, host, id);
  return true;
}

function admit(host: HttpHost, listener: AcceptingListener, id: number, insideClose = false): boolean {
  const isUnheard = host.listensAlone && !connections.hasSubscribers && !acceptedSockets.hasSubscribers;
  const served = isUnheard ? servedWithoutMessages(host.emitter) : undefined;
  if (served !== undefined) {
    host.admit(new FetchConnection(host, served, listener, id));
    return false;
  }
  const connection = new HttpConnection(host, listener, id);
  host.admit(connection);
  if (isUnheard) return false;
  const announce = (): void => {
    const { socket } = connection;
    const { emitter: server } = host;
    connection.isSocketShown = true;
    if (connections.hasSubscribers) connections.publish({ server, socket } satisfies ConnectionEvent);
    for (const call of otherConnectionListeners(server)) call.call(server, socket as never);
    if (acceptedSockets.hasSubscribers) acceptedSockets.publish({ socket });
  };
  if (insideClose) announceLater(connection, announce);
  else announce();
  return true;
}
