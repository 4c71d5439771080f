/** Connects undici through nearwire's sockets, by its `connect` option. */
import type { Socket } from 'node:net';
import { argValueError, connectSlowError } from '../errors/index.js';
import { checkWhole } from '../config/options.js';
import type { ConnectOptions } from '../net/connect.js';
import { connectSocket } from '../net/factory.js';

/** The same as that of undici's own connector. */
const DEFAULT_TIMEOUT = 10_000;
const MAX_TIMEOUT = 2 ** 31 - 1;
const HTTP_PORT = 80;

/** Where undici wants to connect: the part of its own type that is used. */
export interface UndiciTarget {
  /** `http:`, with the colon. */
  readonly protocol: string;
  /** A name or a numeric address. */
  readonly hostname: string;
  /** The port in digits; empty: 80. */
  readonly port: string;
}

/** Called once, with a connected socket or an error. */
export type UndiciConnector = (
  target: UndiciTarget,
  callback: (...outcome: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
) => void;

/**
 * For `new Agent({ connect: undiciConnector() })`, and undici's `Pool` and `Client`. With `path`, all connections go to
 * that UNIX socket, whatever the origin is. `timeout`: milliseconds to connect, 0 for no limit; default 10,000. All
 * other options are those of `connect()`. Only for `http:`; for TLS use undici's own connector, with its `socketPath`.
 *
 * Throws a TypeError or RangeError for invalid options. The callback gets node's connect errors,
 * ERR_NEARWIRE_CONNECT_TIMEOUT, or ERR_INVALID_ARG_VALUE for another protocol.
 */
export function undiciConnector(options: ConnectOptions = {}): UndiciConnector {
  const { timeout = DEFAULT_TIMEOUT, ...rest } = options;
  checkWhole(timeout, 'options.timeout', 0, MAX_TIMEOUT);
  return ({ protocol, hostname, port }, callback) => {
    if (protocol !== 'http:') {
      callback(argValueError('protocol', protocol, "must be 'http:': undici's own connector does TLS"), null);
      return;
    }
    const there = { host: hostname, port: port === '' ? HTTP_PORT : Number(port) };
    const socket = connectSocket([rest.path === undefined ? { ...there, ...rest } : rest]);
    const timer =
      timeout === 0
        ? undefined
        : setTimeout(() => {
            socket.destroy(connectSlowError(rest.path ?? there.host, there.port, timeout));
          }, timeout);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      callback(error, null);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      // As in undici's own connector: requests are small and must not be delayed.
      socket.setNoDelay(true);
      callback(null, socket);
    });
  };
}
