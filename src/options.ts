/** Checks of the options that servers, sockets and channels have in common; each throws node's own kind of error. */
import { argTypeError, argValueError, badPortError, outOfRangeError } from './errors.js';
import { connectTimeoutOfThread, MAX_CONNECT_TIMEOUT } from './settings.js';

/** Which engine carries the bytes. `auto`: `native` where the addon loads, else `js`, which is `node:net` itself. */
export type TransportChoice = 'auto' | 'native' | 'js';
/** The engine that does carry the bytes. */
export type TransportName = 'native' | 'js';

/** Options that every server, socket, channel and agent takes. */
export interface TransportOptions {
  /** Default: the environment's `NEARWIRE_TRANSPORT`, else `auto`. */
  transport?: TransportChoice | undefined;
  /**
   * SO_SNDBUF in bytes. Default: the system's. Linux doubles the number and caps it at `net.core.wmem_max`; see
   * `bufferSizes` for what came of it. Not applied by the `js` transport: node has no way to.
   */
  sendBuffer?: number | undefined;
  /** SO_RCVBUF in bytes. Default: the system's. Without effect on UNIX sockets under Linux. Not applied by `js`. */
  recvBuffer?: number | undefined;
}

/** An option of everything that connects. */
export interface ConnectPatience {
  /**
   * UNIX sockets: milliseconds for which to wait while the listener's queue is full, which the system itself refuses at
   * once (EAGAIN, on Linux). All that wait for a path go in the order in which they came. In the end:
   * ERR_NEARWIRE_CONNECT_TIMEOUT. `0` fails at once with EAGAIN, as `node:net` does. Default: `configure()`'s, which is
   * 10,000.
   */
  connectTimeout?: number | undefined;
}

/** The patience that holds for these options. */
export function patienceOf(options: ConnectPatience): number {
  const { connectTimeout }: { connectTimeout?: unknown } = options;
  checkWhole(connectTimeout, 'options.connectTimeout', 0, MAX_CONNECT_TIMEOUT);
  return connectTimeout ?? connectTimeoutOfThread();
}

/** What the kernel says a socket's buffers are, in bytes. */
export interface BufferSizes {
  send: number;
  recv: number;
}

/** setsockopt takes an int. */
const MAX_BUFFER_BYTES = 2 ** 31 - 1;
const MAX_PORT = 65535;
const CHOICES: readonly unknown[] = ['auto', 'native', 'js'];

export function isTransportChoice(value: unknown): value is TransportChoice {
  return CHOICES.includes(value);
}

/** Throws unless `value` is absent or a whole number within these bounds. */
export function checkWhole(
  value: unknown,
  name: string,
  lowest: number,
  highest: number,
): asserts value is number | undefined {
  if (value === undefined) return;
  if (typeof value !== 'number') throw argTypeError(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRangeError(name, 'an integer', value);
  if (value < lowest || value > highest) {
    throw outOfRangeError(name, `>= ${String(lowest)} && <= ${String(highest)}`, value);
  }
}

/** Throws unless `options` is an object (or absent) whose transport, sendBuffer and recvBuffer make sense. */
export function checkTransportOptions(options: unknown): asserts options is TransportOptions | null | undefined {
  if (options === null || options === undefined) return;
  if (typeof options !== 'object') throw argTypeError('options', 'of type object', options);
  const { transport, sendBuffer, recvBuffer } = options as Record<keyof TransportOptions, unknown>;
  if (transport !== undefined && !isTransportChoice(transport)) {
    throw argValueError('options.transport', transport, "must be one of: 'auto', 'native', 'js'");
  }
  checkWhole(sendBuffer, 'options.sendBuffer', 1, MAX_BUFFER_BYTES);
  checkWhole(recvBuffer, 'options.recvBuffer', 1, MAX_BUFFER_BYTES);
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw argTypeError(name, 'of type string', value);
}

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw argTypeError(name, 'of type number', value);
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw argTypeError(name, 'of type boolean', value);
}

export function checkFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw argTypeError(name, 'of type function', value);
}

/** A port as node takes it: a number, or a string of one (`'80'`, `'0x50'`). */
export function checkPort(value: unknown, name: string): number {
  const port = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  const known = typeof value === 'number' || typeof value === 'string';
  if (!known || !Number.isInteger(port) || port < 0 || port > MAX_PORT) throw badPortError(name, value);
  return port;
}

/** A host name or address must not be cut short by a NUL on its way to the system. */
export function checkNoNul(value: string, name: string): void {
  if (value.includes('\0')) throw argValueError(name, value, 'must be a string without null bytes');
}
