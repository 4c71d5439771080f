/** Checks of the options that servers, sockets and channels share. Each throws the error that node would. */
import { argTypeError, argValueError, badPortError, outOfRangeError } from '../errors/index.js';
import { backlogTimeoutOfThread, MAX_BACKLOG_TIMEOUT } from './settings.js';

/** Which engine carries the bytes. `auto`: `native` if the addon loads, otherwise `js`, which is `node:net` itself. */
export type TransportChoice = 'auto' | 'native' | 'js';
/** The engine in use. */
export type TransportName = 'native' | 'js';

/**
 * The sizes of a socket's buffers; a server applies them to its connections. Applied on both transports. On `js` this
 * needs the addon: without it nothing is set and `bufferSizes` is undefined. docs/tuning.md has the gains.
 */
export interface BufferOptions {
  /**
   * SO_SNDBUF in bytes. Linux doubles the number and caps it at `net.core.wmem_max`; `bufferSizes` has the result.
   * Default: the system's. On `native`, a UNIX connection's buffer then grows for a fast reader: up to 1 MiB for files
   * and pages, up to 208 KiB (Linux's default) for copied data. `'auto'`: in addition, it grows to hold what is written
   * at once, up to 2 MiB, however fast the reader is. `'auto'` is for UNIX connections on `native`; elsewhere it is the
   * system's default, which on TCP grows by itself.
   */
  sendBufferSize?: number | 'auto' | undefined;
  /**
   * SO_RCVBUF in bytes. Default, and `'auto'`: the system's, which on TCP grows by itself. Has no effect on UNIX
   * sockets on Linux.
   */
  recvBufferSize?: number | 'auto' | undefined;
  /** Whether sizes below the system default are applied. Default false: such sizes are ignored. */
  allowSmallBuffers?: boolean | undefined;
}

/** Options that every server, socket, channel and agent takes. */
export interface TransportOptions extends BufferOptions {
  /** Default: the environment variable `NEARWIRE_TRANSPORT`, otherwise `auto`. */
  transport?: TransportChoice | undefined;
}

/** An option of every call that connects. */
export interface BacklogOptions {
  /**
   * UNIX sockets: milliseconds to wait while the listener's accept queue is full; Linux itself refuses such a connect
   * at once (EAGAIN). Connects that wait for the same path are served in order. At the end of the time:
   * ERR_NEARWIRE_BACKLOG_TIMEOUT. `0` fails at once with EAGAIN, as `node:net` does. Default: the setting of
   * `configure()`, 10,000. `native` only: on `js` a full queue is EAGAIN.
   */
  backlogTimeout?: number | undefined;
}

/** The backlog timeout for these options, in milliseconds. */
export function patienceOf(options: BacklogOptions): number {
  const { backlogTimeout }: { backlogTimeout?: unknown } = options;
  checkWhole(backlogTimeout, 'options.backlogTimeout', 0, MAX_BACKLOG_TIMEOUT);
  return backlogTimeout ?? backlogTimeoutOfThread();
}

/** The sizes of a socket's buffers as the kernel reports them, in bytes. */
export interface BufferSizes {
  /** SO_SNDBUF, in bytes. Linux reports twice the number that was asked for. */
  send: number;
  /** SO_RCVBUF, in bytes. Linux reports twice the number that was asked for. */
  recv: number;
}

/** setsockopt takes an int. */
const MAX_BUFFER_BYTES = 2 ** 31 - 1;
const MAX_PORT = 65535;
const CHOICES: readonly unknown[] = ['auto', 'native', 'js'];

export function isTransportChoice(value: unknown): value is TransportChoice {
  return CHOICES.includes(value);
}

/** Throws unless `value` is undefined or a whole number within these bounds. */
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

/** Throws unless `value` is absent, a whole number of bytes or milliseconds, or Infinity: no limit. */
export function checkLimit(value: unknown, name: string): asserts value is number | undefined {
  if (value !== Infinity) checkWhole(value, name, 0, Number.MAX_SAFE_INTEGER);
}

function checkBuffer(value: unknown, name: string): void {
  if (value === 'auto') return;
  if (typeof value === 'string') throw argTypeError(name, "of type number, or 'auto'", value);
  checkWhole(value, name, 1, MAX_BUFFER_BYTES);
}

/** Throws unless `options` is an object (or absent) with a valid transport and valid buffer sizes. */
export function checkTransportOptions(options: unknown): asserts options is TransportOptions | null | undefined {
  if (options === null || options === undefined) return;
  if (typeof options !== 'object') throw argTypeError('options', 'of type object', options);
  const { transport, sendBufferSize, recvBufferSize, allowSmallBuffers } = options as Record<
    keyof TransportOptions,
    unknown
  >;
  if (transport !== undefined && !isTransportChoice(transport)) {
    throw argValueError('options.transport', transport, "must be one of: 'auto', 'native', 'js'");
  }
  checkBuffer(sendBufferSize, 'options.sendBufferSize');
  checkBuffer(recvBufferSize, 'options.recvBufferSize');
  if (allowSmallBuffers !== undefined) checkBoolean(allowSmallBuffers, 'options.allowSmallBuffers');
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

/** A port in the forms that node accepts: a number, or a string of one (`'80'`, `'0x50'`). */
export function checkPort(value: unknown, name: string): number {
  const port = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  const known = typeof value === 'number' || typeof value === 'string';
  if (!known || !Number.isInteger(port) || port < 0 || port > MAX_PORT) throw badPortError(name, value);
  return port;
}

/** C strings end at NUL: a host name or address that contains one would be cut short. */
export function checkNoNul(value: string, name: string): void {
  if (value.includes('\0')) throw argValueError(name, value, 'must be a string without null bytes');
}
