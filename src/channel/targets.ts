/** Checks the arguments of the channel API: invalid input throws at the call, in node's error shapes. */
import { isIP } from 'node:net';

import {
  argTypeError,
  argValueError,
  badPortError,
  invalidIpError,
  missingArgsError,
  outOfRangeError,
} from '../errors/index.js';
import { checkBoolean, checkNumber, checkString, checkTransportOptions } from '../config/options.js';

export const DEFAULT_HOST = '127.0.0.1';
/** node's default for servers. */
export const DEFAULT_BACKLOG = 511;
/** listen(2) takes an int. */
const MAX_BACKLOG = 2 ** 31 - 1;
const MAX_PORT = 65535;

const HANDLERS = [
  'onConnect',
  'onData',
  'onDrain',
  'onEnd',
  'onTimeout',
  'onWriteError',
  'onError',
  'onClose',
  'onConnection',
  'onListening',
  'onServerError',
  'onServerClose',
] as const;

export function checkConnectTarget(target: unknown): void {
  if (typeof target !== 'object' || target === null) throw argTypeError('target', 'of type object', target);
  checkTransportOptions(target);
  const { path, host, port, noDelay } = target as Record<string, unknown>;
  if (noDelay !== undefined) checkBoolean(noDelay, 'target.noDelay');
  if (path !== undefined) {
    checkString(path, 'target.path');
    if (path === '') throw argValueError('target.path', path, 'must not be empty');
    if (port !== undefined || host !== undefined) {
      throw argValueError('target', target, 'must name either a path or a port, not both');
    }
    return;
  }
  if (port === undefined) throw missingArgsError('The target must have a "path" or a "port"');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    throw badPortError('target.port', port);
  }
  if (host !== undefined) {
    checkString(host, 'target.host');
    if (isIP(host) === 0) throw invalidIpError(host);
  }
}

export function checkListenTarget(target: unknown): void {
  checkConnectTarget(target);
  const { backlog } = target as { backlog?: unknown };
  if (backlog === undefined) return;
  checkNumber(backlog, 'target.backlog');
  if (!Number.isInteger(backlog) || backlog < 0 || backlog > MAX_BACKLOG) {
    throw outOfRangeError('target.backlog', `an integer >= 0 && <= ${String(MAX_BACKLOG)}`, backlog);
  }
}

export function checkHandlers(handlers: unknown): void {
  if (typeof handlers !== 'object' || handlers === null) throw argTypeError('handlers', 'of type object', handlers);
  for (const name of HANDLERS) {
    const handler = (handlers as Record<string, unknown>)[name];
    if (handler !== undefined && typeof handler !== 'function') {
      throw argTypeError(`handlers.${name}`, 'of type function', handler);
    }
  }
}

/** Throws unless `[start, end)` lies within `length` bytes. */
export function checkRange(start: number, end: number, length: number): void {
  if (!Number.isInteger(start) || start < 0 || start > length) {
    throw outOfRangeError('start', `an integer >= 0 && <= ${String(length)}`, start);
  }
  if (!Number.isInteger(end) || end < start || end > length) {
    throw outOfRangeError('end', `an integer >= ${String(start)} && <= ${String(length)}`, end);
  }
}
