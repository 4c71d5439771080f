/** The state of one socket: bytes in the kernel, buffers, the other end, counters. */
import * as net from 'node:net';
import type { NativeEndpoint, NativeSocketDescription, NativeTcpFigures } from '../binding/addon.js';
import { describeTarget } from './diagnosis.js';
import { queueHighWater } from '../stats/server-counter.js';
import { noteDepth } from './high-water.js';
import type { ListenQueue } from './queue.js';
import type { TuneTarget } from './target.js';

/** One end of a socket: a path (or abstract name, with a leading NUL), or an address. All undefined: unnamed. */
export interface SocketEnd {
  /** The path of a UNIX socket, or its abstract name with a leading NUL. */
  path?: string | undefined;
  /** A numeric address, over TCP. */
  address?: string | undefined;
  /** The TCP port. */
  port?: number | undefined;
  /** Of the address. */
  family?: 'IPv4' | 'IPv6' | undefined;
}

/** The other end, and over UNIX the process that held it when the two were connected. */
export interface SocketPeer extends SocketEnd {
  /** Undefined over TCP, and for a process outside this process's pid namespace. */
  pid?: number | undefined;
  /** Its effective user id when the two were connected. */
  uid?: number | undefined;
  /** Its effective group id. Undefined if the system does not report it. */
  gid?: number | undefined;
}

/** TCP's states, named as in RFC 9293. */
export type TcpState =
  | 'ESTABLISHED'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'TIME-WAIT'
  | 'CLOSED'
  | 'CLOSE-WAIT'
  | 'LAST-ACK'
  | 'LISTEN'
  | 'CLOSING';

/** The main fields of tcp_info (macOS: tcp_connection_info). What the system does not report is undefined. */
export interface TcpFigures extends Omit<NativeTcpFigures, 'state'> {
  /** The connection's state. */
  state: TcpState;
}

/** The counters of the object that holds the socket. Undefined if it does not count. */
export interface SocketCounters {
  /** Bytes received. */
  bytesRead?: number | undefined;
  /** Bytes written by the program. */
  bytesWritten?: number | undefined;
  /** Bytes written but not yet handed to the kernel. */
  waitingToBeWritten?: number | undefined;
}

/** What `inspect()` returns. */
export interface SocketInspection {
  /** The kind of the socket. */
  family: 'unix' | 'tcp';
  /** Whether it is listening, connecting or connected. */
  state: 'listening' | 'connecting' | 'connected' | 'unconnected';
  /** Bytes received by the kernel and not read yet. Undefined for a listener. */
  unread: number | undefined;
  /**
   * Bytes in the kernel that the peer has not read (UNIX) or not acknowledged (TCP). Undefined for a listener, over
   * UNIX before the connection has been accepted, and where the system does not report it.
   */
  unsent: number | undefined;
  /**
   * The part of `sendBufferSize` that the unsent bytes occupy: more than the bytes themselves, especially for small
   * writes.
   */
  sendMemory: number | undefined;
  /** Bytes, as the kernel reports them: on Linux twice the requested size. */
  sendBufferSize: number;
  /** SO_RCVBUF in bytes, as the kernel reports it. */
  recvBufferSize: number;
  /** The local end. */
  local: SocketEnd;
  /** Undefined unless connected. */
  peer: SocketPeer | undefined;
  /** Undefined unless listening, and where the system does not report it. */
  queue: ListenQueue | undefined;
  /** What the object in this process has counted. */
  counters: SocketCounters;
  /** Undefined over UNIX, for a listener, and where the system does not report it. */
  tcp: TcpFigures | undefined;
}

/** In Linux's numbering, from 1. */
const TCP_STATES: readonly TcpState[] = [
  'ESTABLISHED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'CLOSED',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
];

/**
 * Reports the kernel's current state of a socket of this process. Takes a few system calls, and waits for nothing.
 * Throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE or ERR_OUT_OF_RANGE if the target is not a stream socket,
 * ERR_NEARWIRE_NOT_OPEN if it currently has no socket, and ERR_NEARWIRE_NO_ADDON without the addon.
 */
export function inspect(target: TuneTarget): SocketInspection {
  const found = describeTarget(target);
  const { family, unread, unsent, sendMemory, sendBufferSize, recvBufferSize, local, peer, credentials } = found;
  return {
    family,
    state: stateOf(found),
    unread,
    unsent,
    sendMemory,
    sendBufferSize,
    recvBufferSize,
    local: endOf(local),
    peer: peer === undefined ? undefined : { ...endOf(peer), ...credentials },
    queue: queueOf(found, typeof target === 'object' ? queueHighWater(target) : undefined),
    counters: countersOf(target),
    tcp: figuresOf(found.tcp),
  };
}

function stateOf({ listening, connected, tcp }: NativeSocketDescription): SocketInspection['state'] {
  if (listening) return 'listening';
  const state = figuresOf(tcp)?.state;
  if (state === 'SYN-SENT' || state === 'SYN-RECEIVED') return 'connecting';
  return connected ? 'connected' : 'unconnected';
}

function endOf({ path, address, port, family }: NativeEndpoint): SocketEnd {
  return path === undefined ? (address === undefined ? {} : { address, port, family }) : { path };
}

function queueOf(
  { cookie, queued, backlog }: NativeSocketDescription,
  counted: number | undefined,
): ListenQueue | undefined {
  if (queued === undefined || backlog === undefined) return undefined;
  return { queued, backlog, highWater: noteDepth(cookie, queued, counted) };
}

function figuresOf(figures: NativeTcpFigures | undefined): TcpFigures | undefined {
  if (figures === undefined) return undefined;
  return { ...figures, state: TCP_STATES[figures.state - 1] ?? 'CLOSED' };
}

function countersOf(target: TuneTarget): SocketCounters {
  if (typeof target === 'number') return {};
  if (target instanceof net.Socket) {
    const { bytesRead, bytesWritten, writableLength } = target;
    return { bytesRead, bytesWritten, waitingToBeWritten: writableLength };
  }
  if ('counters' in target) {
    const { bytesRead, bytesWritten } = target.counters;
    return { bytesRead, bytesWritten };
  }
  return {};
}
