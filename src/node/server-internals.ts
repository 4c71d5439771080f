/** What node's own server code expects of a server and of the handle under it. */
import type * as net from 'node:net';
import type { ConnectionCounting } from './server-connections.js';

/** What node's server code expects of a handle. */
export interface ListenHandle {
  /** `callback` is called asynchronously. */
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  /** The listening descriptor, which the handle keeps; negative once closed. Programs hand it to other threads. */
  readonly fd: number;
  /** One of node's handles for the same socket, made on first use and closed with this one. */
  genuine(): object;
  /** Paths only: adds the permissions that libuv's flags name. Returns 0 or a negative errno. */
  fchmod?(flags: number): number;
  /** TCP only. Returns 0 or a negative errno. */
  getsockname?(out: object): number;
}

/** The fields of net.Server that node's own code uses and its types leave out. */
export interface ServerInternals extends ConnectionCounting {
  _unref: boolean;
  _connectionKey?: string;
  _listen2: ListenStep;
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds. */
  keepAliveInitialDelay: number;
  highWaterMark: number | undefined;
  /** Peers whose connections are closed without notice. */
  blockList?: net.BlockList;
}

export type ListenStep = (
  this: net.Server,
  address: string | null,
  port: number | null,
  addressType: number | null,
  backlog: number | false | undefined,
  fd: number | undefined,
  flags: number | undefined,
) => void;

export type ServerWithInternals = net.Server & ServerInternals;
