/** Socket options, got and set by name: what each takes and where it means something is in the addon's table. */
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
 * Options of a socket, as `getSocketOptions()` answers them and `setSocketOptions()` takes them. Which of them a socket has
 * depends on its kind and on the system: docs/tuning.md has the table.
 */
export interface SocketOptionValues {
  /** SO_SNDBUF, in bytes. Linux doubles what it is told, for its own bookkeeping, and answers the double. */
  sendBufferSize?: number | undefined;
  /** SO_RCVBUF, in bytes; doubled likewise. Not on UNIX sockets under Linux, where nothing looks at it. */
  recvBufferSize?: number | undefined;
  /** SO_SNDTIMEO, in milliseconds; 0: none. Only on a descriptor whose calls block: node's sockets never wait. */
  sendTimeout?: number | undefined;
  /** SO_RCVTIMEO, in milliseconds; 0: none. Only on a descriptor whose calls block. */
  recvTimeout?: number | undefined;
  /** SO_KEEPALIVE: whether a silent TCP peer is probed. */
  keepAlive?: boolean | undefined;
  /** Seconds of silence before the first probe. */
  keepAliveIdle?: number | undefined;
  /** Seconds between probes. */
  keepAliveInterval?: number | undefined;
  /** Probes without an answer after which the connection is given up. */
  keepAliveCount?: number | undefined;
  /** TCP_NODELAY: small segments are sent at once. */
  noDelay?: boolean | undefined;
  /** TCP_QUICKACK (Linux): acknowledge at once. A mode that the kernel enters and leaves by itself as well. */
  quickAck?: boolean | undefined;
  /**
   * TCP_USER_TIMEOUT, in milliseconds: how long sent bytes may stand unacknowledged before the connection is given up; 0: the
   * system's own. On macOS TCP_RXT_CONNDROPTIME, in whole seconds.
   */
  userTimeout?: number | undefined;
  /** TCP_NOTSENT_LOWAT, in bytes: the socket is writable only while less than this is unsent; 0: the system's own. */
  notSentLowAt?: number | undefined;
  /**
   * SO_LINGER, in seconds; false: off, which is the default. 0: closing sends RST and drops what is unsent. More: `close(2)`
   * waits so long for what is unsent, and the thread with it, on Linux even where the socket is non-blocking.
   */
  lingerSeconds?: number | false | undefined;
  /** SO_MARK (Linux), for routing and packet filters. To set it takes CAP_NET_ADMIN or CAP_NET_RAW. */
  mark?: number | undefined;
  /** SO_PRIORITY (Linux). More than 6 takes CAP_NET_ADMIN or CAP_NET_RAW. */
  priority?: number | undefined;
  /** SO_BUSY_POLL (Linux), in microseconds. To raise it takes CAP_NET_ADMIN. */
  busyPoll?: number | undefined;
  /**
   * SO_INCOMING_CPU (Linux): the processor that a connection's last packet came by; -1: none yet. May be set on listeners,
   * of which those that share a port by `reusePort` then get the connections that come by their processor.
   */
  incomingCpu?: number | undefined;
  /** SO_PASSCRED (Linux): each message tells who sent it (SCM_CREDENTIALS). */
  passCredentials?: boolean | undefined;
}

/** What became of one option. */
export interface OptionResult<T> {
  /** What was asked for. */
  requested: T;
  /** What the kernel answers when asked afterwards. */
  effective: T;
  /** What made the two differ, where that is known: the name of a limit. Linux's doubling of buffers has no name here. */
  clampedBy?: string;
}

/** What became of each option that was given. */
export type SetSocketOptions = {
  [Name in keyof SocketOptionValues]?: OptionResult<Exclude<SocketOptionValues[Name], undefined>>;
};

type Value = number | boolean;

/** What `lingerSeconds: false` is on the border. */
const OFF = -1;

const KIND_NAMES: Readonly<Record<number, string>> = {
  [SocketKind.UnixConnection]: 'a UNIX connection',
  [SocketKind.UnixListener]: 'a UNIX listener',
  [SocketKind.TcpConnection]: 'a TCP connection',
  [SocketKind.TcpListener]: 'a TCP listener',
  [SocketKind.Other]: 'a socket of another kind',
};

/** A socket that is got from or set. */
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

/** The value as the border takes it. Throws in node's shapes if it is none for this option. */
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
 * The options of a socket: those of its kind that the system can read, as they are now. `target` is a socket, server,
 * channel or channel server of nearwire's or node's, on either transport, or a descriptor; TLS and HTTP included.
 * Throws ERR_NEARWIRE_NO_ADDON without the addon, ERR_NEARWIRE_NOT_OPEN for what has no socket now, the system's error
 * (ENOTSOCK, EBADF) for a descriptor that is none.
 */
export function getSocketOptions(target: TuneTarget): SocketOptionValues {
  const subject = new Subject(target);
  const values: Record<string, Value> = {};
  for (const [index, row] of subject.rows.entries()) {
    if (!subject.isReadable(row)) continue;
    const [error, value] = subject.addon.getSocketOption(subject.fd, index);
    // A kernel built without it, or a sandbox, has fewer than the table.
    if (error === 0) values[row.name] = fromNumber(row, value);
  }
  return values;
}

/** What is to be set, checked. */
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
 * Sets options, in the order given, and tells for each what came of it. All are checked before the first is set: what is
 * wrong with one leaves the socket as it was. `target` is as for `getSocketOptions()`. What is set on a listener, the
 * connections that it accepts from then on have.
 * Throws as `getSocketOptions()`; ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for a value; ERR_NEARWIRE_UNKNOWN_OPTION;
 * ERR_NEARWIRE_OPTION_NOT_SUPPORTED for an option that this system has not, or that means nothing on this kind of socket.
 * If the kernel refuses one, its error (EPERM, say) has `option` and `applied`, what has been set before that one.
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
