/** undici over nearwire's sockets: what its `connect` option takes. */
import type { Socket } from 'node:net';
import { argValueError, connectSlowError } from '../errors/index.js';
import { checkWhole } from '../config/options.js';
import type { ConnectOptions } from '../net/connect.js';
import { connectSocket } from '../net/factory.js';

/** As undici's own connector has it. */
const DEFAULT_TIMEOUT = 10_000;
const MAX_TIMEOUT = 2 ** 31 - 1;
const HTTP_PORT = 80;

/** Where undici is to be connected: the part of its own type that is used. */
export interface UndiciTarget {
  /** `http:`, with the colon. */
  readonly protocol: string;
  /** A name or a numeric address. */
  readonly hostname: string;
  /** The port in digits; empty: 80. */
  readonly port: string;
}

/** Called once: with a connected socket, or with why there is none. */
export type UndiciConnector = (
  target: UndiciTarget,
  callback: (...outcome: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
) => void;

/**
 * For `new Agent({ connect: undiciConnector() })`, `Pool` and `Client` of undici. With `path` all connections go to that UNIX
 * socket, whatever the origin says. `timeout`: milliseconds until there is a connection, 0 for ever; default 10,000. All other
 * options are those of `connect()`. For `http:` alone: TLS is undici's own connector's, with its `socketPath`.
 *
 * Throws a TypeError or RangeError for options that make no sense. The callback gets node's errors of connecting,
 * ERR_NEARWIRE_CONNECT_TIMEOUT, and ERR_INVALID_ARG_VALUE for another protocol.
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
      // As undici's own connector: requests are small, and not to be held back.
      socket.setNoDelay(true);
      callback(null, socket);
    });
  };
}
