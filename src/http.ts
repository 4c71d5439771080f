/**
 * `nearwire/http`: node:http's own servers and agents over nearwire's transport.
 *
 * @module nearwire/http
 */
import type * as http from 'node:http';
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { argTypeError, argValueError } from './errors/index.js';
import { answerByFetch, appOf, type FetchOptions } from './http/fetch/serve.js';
import { followParsers } from './http/follow-parsers.js';
import { HTTP, installPlainServing, leaveToNode } from './http/serve-plain.js';
import { setStrictness } from './http/strict/servers.js';
import { nodeHttp } from './runtime/http.js';
import {
  checkBoolean,
  checkTransportOptions,
  patienceOf,
  type BacklogOptions,
  type TransportOptions,
} from './config/options.js';
import { protocolOf } from './net/accept-delegate.js';
import { connectSocket, installTransport, serverOptions, type ServerInfo } from './net/factory.js';

export { sendFile, type HttpSendFileOptions } from './http/send-file.js';
export { sendFileStats, type CopyReason, type SendFileStats } from './http/body-path.js';
export { registerFileStreams } from './http/piped-files.js';
export { receiveFile, type HttpReceiveFileOptions } from './http/receive-file.js';
export type { FileHeaders } from './http/file-head.js';
export type { FileSource, FileTarget } from './files/options.js';
export type { ServerInfo } from './net/factory.js';
export { FastResponse } from './http/fetch/response.js';
export type { FetchOptions } from './http/fetch/serve.js';
export type { ClientAddress, FetchErrorHandler, FetchHandler, FetchInfo } from './http/fetch/contracts.js';
export { undiciConnector, type UndiciConnector, type UndiciTarget } from './http/undici-connector.js';

/** An `http.Server` with nearwire's connections. */
export type HttpServer = http.Server & ServerInfo;

/** What nearwire adds to the options of a server. */
export interface HttpTransportOptions extends TransportOptions {
  /**
   * Who reads requests and writes responses. `nearwire`: plain requests are read without node's parser, and their
   * responses are written without a stream; the objects that the program sees are node's own. Everything else is left to
   * node's code. `node`: all of it is. Default: `nearwire`, or `node` with `NEARWIRE_HTTP=node`, or where this node's
   * code is not as expected.
   */
  engine?: 'nearwire' | 'node' | undefined;
  /**
   * Refuses all requests that RFC 9110 and RFC 9112 say a server must refuse, whichever transport and engine carry them,
   * also where node's parser or `requireHostHeader` would let them pass: docs/compatibility.md#strict has the list. A
   * refusal is a 'clientError' whose `code` is ERR_NEARWIRE_HTTP_STRICT and whose `statusCode` is 400, 501 or 505; without
   * a listener the client is sent that status. It waits for the responses to the requests before it. Default: false, or
   * true with `NEARWIRE_HTTP_STRICT=1`.
   */
  strict?: boolean | undefined;
}

/** Options of `http.createServer`, and nearwire's. */
export interface HttpServerOptions extends http.ServerOptions, HttpTransportOptions {}

/** Options of `http.Agent`, and nearwire's. */
export interface HttpAgentOptions extends http.AgentOptions, TransportOptions, BacklogOptions {}

const attached = new WeakSet<http.Server>();

/**
 * Makes an existing http.Server, such as a framework's, listen through nearwire. Call it before `listen()`. Further
 * calls have no effect: the options of the first one apply. Returns the same server. Throws ERR_INVALID_ARG_VALUE for a
 * server of `nearwire/uwsgi`, which listens through nearwire by itself.
 */
export function attach<T extends http.Server>(server: T, options?: HttpTransportOptions): T & ServerInfo {
  if (!(server instanceof nodeHttp.Server)) throw argTypeError('server', 'an instance of http.Server', server);
  if (attached.has(server)) {
    checkTransportOptions(options);
    checkOptions(options);
    return server as T & ServerInfo;
  }
  const protocol = protocolOf(server) ?? HTTP;
  if (protocol !== HTTP) {
    throw argValueError('server', server, `speaks ${protocol}, over nearwire already: attach() is for servers of HTTP`);
  }
  checkOptions(options);
  checkTransportOptions(options);
  setStrictness(server, options?.strict);
  if (options?.engine === 'node') leaveToNode(server);
  followParsers();
  installPlainServing();
  installTransport(server, options);
  attached.add(server);
  return server as T & ServerInfo;
}

function checkOptions(options: { engine?: unknown; strict?: unknown } | undefined): void {
  const { engine, strict } = options ?? {};
  if (strict !== undefined) checkBoolean(strict, 'options.strict');
  if (engine === undefined || engine === 'nearwire' || engine === 'node') return;
  throw argValueError('options.engine', engine, "must be 'nearwire' or 'node'");
}

/** As `http.createServer`: a real http.Server with nearwire's connections. */
export function createServer(requestListener?: http.RequestListener): HttpServer;
export function createServer(options?: HttpServerOptions, requestListener?: http.RequestListener): HttpServer;
export function createServer(
  options?: HttpServerOptions | http.RequestListener,
  requestListener?: http.RequestListener,
): HttpServer {
  const server = nodeHttp.createServer(options as http.ServerOptions, requestListener);
  return attach(server, serverOptions(options));
}

/** Options of `serve()`: its handlers, those of a server, and where it listens. */
export interface ServeOptions extends FetchOptions, HttpServerOptions, net.ListenOptions {
  /** The address to listen on; another name of `host`. */
  hostname?: string | undefined;
}

/**
 * Serves a fetch handler, such as a Hono app's: `(request, info) => Response`. Returns an `http.Server`, as
 * `createServer` does. It listens at once if the options have a `path`, `port`, `host`, `hostname` or `fd`, with all
 * options of `listen()`; a failure is its 'error' event. Otherwise call `listen()`.
 *
 * The request is an `instanceof Request` whose `signal` aborts when the client goes away before its response is over. An
 * invalid target or Host header is answered with 400. Bodies are streams both ways, with backpressure; a body of the
 * request that is not read by the end of the response is discarded. A response's stream is cancelled when the client goes
 * away; if it fails, or has more or less than its Content-Length, the error is reported by `console.error`, and the
 * connection is closed: the client sees that something is missing. Headers about the connection (Transfer-Encoding,
 * Keep-Alive, Upgrade, ...) are left out, except `Connection: close`, which closes it.
 *
 * Throws ERR_INVALID_ARG_TYPE for options of the wrong type, and what `createServer` throws.
 */
export function serve(options: ServeOptions): HttpServer {
  const app = appOf(options);
  const server = createServer(options);
  answerByFetch(server, app);
  const { path, port, host, hostname, fd } = options as ServeOptions & { fd?: number };
  if ([path, port, host, hostname, fd].some((where) => where !== undefined)) {
    server.listen({ ...options, host: hostname ?? host });
  }
  return server;
}

/** As `http.Agent`, with nearwire's connections; for `http.request({ agent })`, with `socketPath` or host and port. */
export class Agent extends nodeHttp.Agent {
  constructor(options?: HttpAgentOptions) {
    checkTransportOptions(options);
    if (options) patienceOf(options);
    super(options);
  }

  /** @internal Called by http.Agent, with the agent's own options merged into those of the request. */
  override createConnection(options: http.ClientRequestArgs): Duplex {
    return connectSocket([options]);
  }
}
