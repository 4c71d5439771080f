/**
 * `nearwire/uwsgi`: the uwsgi protocol, by which nginx hands requests over without HTTP.
 *
 * ```ts
 * createServer((req, res) => res.end('hello')).listen('/run/app.sock');   // nginx: uwsgi_pass unix:/run/app.sock;
 * ```
 *
 * @module nearwire/uwsgi
 */
import { UwsgiServer, type UwsgiListener, type UwsgiServerOptions } from './uwsgi/server.js';

export {
  UwsgiServer as Server,
  type UwsgiListener,
  type UwsgiRequest,
  type UwsgiServerOptions,
} from './uwsgi/server.js';
export type { ExchangeServerOptions } from './exchange/options.js';
export type { ExchangeServer } from './exchange/server.js';
export type { ExchangeSocket } from './exchange/socket.js';
export {
  request,
  type UwsgiResponse,
  type RequestBody,
  type RequestOptions,
  type RequestTarget,
  type VariableValue,
} from './uwsgi/request.js';

/**
 * As `http.createServer`: the listener gets genuine `http.IncomingMessage` and `http.ServerResponse` objects, so that
 * Express, Fastify and Koa applications run unchanged. Throws a TypeError or RangeError for invalid options, and
 * ERR_NEARWIRE_NO_ADDON if `native` is requested and not available; `js` works the same over node:net.
 */
export function createServer(listener?: UwsgiListener): UwsgiServer;
export function createServer(options?: UwsgiServerOptions | null, listener?: UwsgiListener): UwsgiServer;
export function createServer(
  options?: UwsgiServerOptions | UwsgiListener | null,
  listener?: UwsgiListener,
): UwsgiServer {
  return new UwsgiServer(options, listener);
}
