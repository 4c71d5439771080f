/** Gets and sets socket options by name. The addon's table has each option's type and where it applies. */
import {
  argTypeError,
  errnoError,
  optionNotSupportedError,
  optionRefusedError,
  outOfRangeError,
  unknownOptionError,
} from '../errors/index.js';
import { SocketKind, type NativeOptionRow, type NativeSocketState } from '../binding/addon.js';
import { checkBoolean } from '../config/options.js';
import { tuneAddon } from '../binding/require-addon.js';
import { descriptorOf, type TuneTarget } from './target.js';

/**
 * Options of a socket, as returned by `getSocketOptions()` and accepted by `setSocketOptions()`. Which of them a socket
 * has depends on its kind and on the system: docs/tuning.md has the table.
 */
export interface SocketOptionValues {
  /** SO_SNDBUF, in bytes. Linux doubles the given number, for its own bookkeeping, and returns the double. */
  sendBufferSize?: number | undefined;
  /** SO_RCVBUF, in bytes; doubled likewise. Not on UNIX sockets on Linux, where it has no effect. */
  recvBufferSize?: number | undefined;
  /** SO_SNDTIMEO, in milliseconds; 0: none. Only for blocking descriptors; node's sockets are non-blocking. */
  sendTimeout?: number | undefined;
  /** SO_RCVTIMEO, in milliseconds; 0: none. Only for blocking descriptors. */
  recvTimeout?: number | undefined;
  /** SO_KEEPALIVE: whether a silent TCP peer is probed. */
  keepAlive?: boolean | undefined;
  /** Seconds of inactivity before the first probe. */
  keepAliveIdleSeconds?: number | undefined;
  /** Seconds between probes. */
  keepAliveIntervalSeconds?: number | undefined;
  /** Unanswered probes after which the connection is dropped. */
  keepAliveCount?: number | undefined;
  /** TCP_NODELAY: small segments are sent at once. */
  noDelay?: boolean | undefined;
  /** TCP_QUICKACK (Linux): acknowledge at once. The kernel also enters and leaves this mode by itself. */
  quickAck?: boolean | undefined;
  /**
   * TCP_USER_TIMEOUT, in milliseconds: how long sent bytes may stay unacknowledged before the connection is dropped; 0:
   * the system's default. On macOS TCP_RXT_CONNDROPTIME, in whole seconds.
   */
  userTimeout?: number | undefined;
  /**
   * TCP_NOTSENT_LOWAT, in bytes: the socket is writable only while less than this is unsent; 0: the system's default.
   */
  notSentLowWaterMark?: number | undefined;
  /**
   * SO_LINGER, in seconds; false: off, which is the default. 0: closing sends RST and drops unsent bytes. More:
   * `close(2)` waits up to that long for unsent bytes, and blocks the thread, on Linux even if the socket is
   * non-blocking.
   */
  lingerSeconds?: number | false | undefined;
  /** SO_MARK (Linux), for routing and packet filters. Setting it requires CAP_NET_ADMIN or CAP_NET_RAW. */
  mark?: number | undefined;
  /** SO_PRIORITY (Linux). More than 6 requires CAP_NET_ADMIN or CAP_NET_RAW. */
  priority?: number | undefined;
  /** SO_BUSY_POLL (Linux), in microseconds. Raising it requires CAP_NET_ADMIN. */
  busyPollMicroseconds?: number | undefined;
  /**
   * SO_INCOMING_CPU (Linux): the processor that received a connection's last packet; -1: none yet. It may be set on
   * listeners: those that share a port through `reusePort` then get the connections that arrive on their processor.
   */
  incomingCpu?: number | undefined;
  /** SO_PASSCRED (Linux): each message carries its sender's credentials (SCM_CREDENTIALS). */
  passCredentials?: boolean | undefined;
}

/** The outcome for one option. */
export interface OptionResult<T> {
  /** The requested value. */
  requested: T;
  /** The value that the kernel returns afterwards. */
  effective: T;
  /** The limit that made the two differ, by name, if known. Linux's doubling of buffers is not named here. */
  clampedBy?: string;
}

/** The outcome for each given option. */
export type SetSocketOptions = {
  [Name in keyof SocketOptionValues]?: OptionResult<Exclude<SocketOptionValues[Name], undefined>>;
};

type Value = number | boolean;

/** The encoding of `lingerSeconds: false` at the JavaScript/native boundary. */
const OFF = -1;

const KIND_NAMES: Readonly<Record<number, string>> = {
  [SocketKind.UnixConnection]: 'a UNIX connection',
  [SocketKind.UnixListener]: 'a UNIX listener',
  [SocketKind.TcpConnection]: 'a TCP connection',
  [SocketKind.TcpListener]: 'a TCP listener',
  [SocketKind.Other]: 'a socket of another kind',
};

/** The socket whose options are read or set. */
class Subject {
  readonly addon = tuneAddon();
  readonly rows = this.addon.socketOptions();
  readonly fd: number;
  private readonly state: NativeSocketState;

  constructor(target: TuneTarget) {
    this.fd = descriptorOf(target);
    const state = this.addon.socketState(this.fd);
    if (typeof state === 'number') throw errnoError(state, 'getsockopt');
    this.state = state;
  }

  /** For errors: `linux` and `a TCP connection`. */
  get where(): { platform: string; kind: string } {
    return { platform: this.addon.system, kind: KIND_NAMES[this.state.kind] ?? '' };
  }

  isReadable(row: NativeOptionRow): boolean {
    return this.isOneOf(row.here?.readable ?? 0) && !this.isPointless(row);
  }

  isSettable(row: NativeOptionRow): boolean {
    return this.isOneOf(row.here?.settable ?? 0) && !this.isPointless(row);
  }

  isPointless(row: NativeOptionRow): boolean {
    return row.blockingOnly && !this.state.blocking;
  }

  private isOneOf(kinds: number): boolean {
    return (kinds & this.state.kind) !== 0;
  }
}

function fromNumber(row: NativeOptionRow, value: number): Value {
  if (row.type === 'boolean') return value !== 0;
  return row.type === 'number or false' && value === OFF ? false : value;
}

/** The value as encoded at the JavaScript/native boundary. Throws node's errors if it is invalid for this option. */
function toNumber(row: NativeOptionRow, value: unknown): number {
  const name = `options.${row.name}`;
  if (row.type === 'boolean') {
    checkBoolean(value, name);
    return value ? 1 : 0;
  }
  if (row.type === 'number or false' && value === false) return OFF;
  if (typeof value !== 'number') {
    throw argTypeError(name, row.type === 'number' ? 'of type number' : 'of type number, or false', value);
  }
  if (!Number.isInteger(value)) throw outOfRangeError(name, 'an integer', value);
  const { lowest, highest } = row.here ?? { lowest: 0, highest: 0 };
  if (value < lowest || value > highest) {
    throw outOfRangeError(name, `>= ${String(lowest)} && <= ${String(highest)}`, value);
  }
  return value;
}

/**
 * Returns the current options of a socket: those of its kind that the system can read. `target` is a socket, server,
 * channel or channel server, nearwire's or node's, on either transport, or a descriptor; TLS and HTTP included. Throws
 * ERR_NEARWIRE_NO_ADDON without the addon, ERR_NEARWIRE_NOT_OPEN if it currently has no socket, and the system's error
 * (ENOTSOCK, EBADF) for an invalid descriptor.
 */
export function getSocketOptions(target: TuneTarget): SocketOptionValues {
  const subject = new Subject(target);
  const values: Record<string, Value> = {};
  for (const [index, row] of subject.rows.entries()) {
    if (!subject.isReadable(row)) continue;
    const [error, value] = subject.addon.getSocketOption(subject.fd, index);
    // A kernel built without an option, or a sandbox, has fewer than the table.
    if (error === 0) values[row.name] = fromNumber(row, value);
  }
  return values;
}

/** A validated option to be set. */
interface Wish {
  index: number;
  row: NativeOptionRow;
  requested: Value;
  number: number;
}

function checkWish(subject: Subject, name: string, value: unknown): Wish {
  const index = subject.rows.findIndex((row) => row.name === name);
  const row = subject.rows[index];
  const { platform, kind } = subject.where;
  if (row === undefined) throw unknownOptionError(name, platform, kind);
  if (!subject.isSettable(row)) {
    const why = subject.isPointless(row) ? ' that does not block' : '';
    throw optionNotSupportedError(name, platform, `${kind}${why}`);
  }
  return { index, row, number: toNumber(row, value), requested: value as Value };
}

/**
 * Sets options in the given order, and returns the outcome of each. All are validated before the first is set, so that
 * an invalid one leaves the socket unchanged. `target` is as for `getSocketOptions()`. Connections that a listener
 * accepts later inherit what is set on it. Throws as `getSocketOptions()`; ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for
 * a value; ERR_NEARWIRE_UNKNOWN_OPTION; ERR_NEARWIRE_OPTION_NOT_SUPPORTED for an option that this system does not have,
 * or that does not apply to this kind of socket. If the kernel refuses one, its error (such as EPERM) has `option`, and
 * `applied` with the options set before it.
 */
export function setSocketOptions(target: TuneTarget, options: SocketOptionValues): SetSocketOptions {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) throw argTypeError('options', 'of type object', given);
  const subject = new Subject(target);
  const wishes = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => checkWish(subject, name, value));
  const applied: Record<string, OptionResult<Value>> = {};
  for (const { index, row, requested, number } of wishes) {
    const [error, effective, clampedBy] = subject.addon.setSocketOption(subject.fd, index, number);
    if (error < 0) throw optionRefusedError(error, row.name, applied);
    const result: OptionResult<Value> = { requested, effective: fromNumber(row, effective) };
    applied[row.name] = clampedBy === undefined ? result : { ...result, clampedBy };
  }
  return applied;
}
