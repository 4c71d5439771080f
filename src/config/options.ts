/** Checks of the options that servers, sockets and channels have in common; each throws node's own kind of error. */
import { argTypeError, argValueError, badPortError, outOfRangeError } from '../errors/index.js';
import { backlogTimeoutOfThread, MAX_BACKLOG_TIMEOUT } from './settings.js';

/** Which engine carries the bytes. `auto`: `native` where the addon loads, else `js`, which is `node:net` itself. */
export type TransportChoice = 'auto' | 'native' | 'js';
/** The engine that does carry the bytes. */
export type TransportName = 'native' | 'js';

/**
 * The sizes of a socket's buffers; a server's are those of its connections. Applied on both transports; on `js` by the addon,
 * and without the addon not at all: `bufferSizes` is undefined then. docs/tuning.md says what they are worth.
 */
export interface BufferOptions {
  /**
   * SO_SNDBUF in bytes. Linux doubles the number and caps it at `net.core.wmem_max`; see `bufferSizes` for what came of it.
   * Default: the system's; natively that of a UNIX connection grows for a fast reader, to 1 MiB for files and pages, to
   * 208 KiB (Linux's default) for what is copied.
   * `'auto'`: that, and it grows to hold what is written at once, up to 2 MiB, whoever reads it. For UNIX connections on
   * `native`; else the system's, which on TCP grows by itself.
   */
  sendBufferSize?: number | 'auto' | undefined;
  /**
   * SO_RCVBUF in bytes. Default, and `'auto'`: the system's, which on TCP grows by itself. Without effect on UNIX sockets
   * under Linux.
   */
  recvBufferSize?: number | 'auto' | undefined;
  /** Whether a size below the system's own is taken. Default false: the system's own stands then. */
  allowSmallBuffers?: boolean | undefined;
}

/** Options that every server, socket, channel and agent takes. */
export interface TransportOptions extends BufferOptions {
  /** Default: the environment's `NEARWIRE_TRANSPORT`, else `auto`. */
  transport?: TransportChoice | undefined;
}

/** An option of everything that connects. */
export interface BacklogOptions {
  /**
   * UNIX sockets: milliseconds for which to wait while the listener's queue is full, which the system itself refuses at
   * once (EAGAIN, on Linux). All that wait for a path go in the order in which they came. In the end:
   * ERR_NEARWIRE_BACKLOG_TIMEOUT. `0` fails at once with EAGAIN, as `node:net` does. Default: `configure()`'s, which is
   * 10,000. `native` only: on `js` a full queue is EAGAIN.
   */
  backlogTimeout?: number | undefined;
}

/** The patience that holds for these options. */
export function patienceOf(options: BacklogOptions): number {
  const { backlogTimeout }: { backlogTimeout?: unknown } = options;
  checkWhole(backlogTimeout, 'options.backlogTimeout', 0, MAX_BACKLOG_TIMEOUT);
  return backlogTimeout ?? backlogTimeoutOfThread();
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

/** Throws unless `value` is absent, a whole number of bytes or milliseconds, or Infinity: no limit. */
export function checkLimit(value: unknown, name: string): asserts value is number | undefined {
  if (value !== Infinity) checkWhole(value, name, 0, Number.MAX_SAFE_INTEGER);
}

function checkBuffer(value: unknown, name: string): void {
  if (value === 'auto') return;
  if (typeof value === 'string') throw argTypeError(name, "of type number, or 'auto'", value);
  checkWhole(value, name, 1, MAX_BUFFER_BYTES);
}

/** Throws unless `options` is an object (or absent) whose transport and buffers make sense. */
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
