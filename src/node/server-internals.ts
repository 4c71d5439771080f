/** What node's own code for servers expects of a server and of the handle under it. */
import type * as net from 'node:net';

/** The server that a socket counts for. */
export interface OwningServer {
  _connections: number;
  _emitCloseIfDrained(): void;
}

/** What node's server code expects of a handle. */
export interface ListenHandle {
  /** `callback` is called soon after. */
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  /** The listening descriptor, which stays the handle's; negative once it is closed. Programs hand it to other threads. */
  readonly fd: number;
  /** A handle of node's for the same socket, made when first asked for; it is closed with this one. */
  genuine(): object;
  /** Only a path's: adds the rights that libuv's flags name. Answers 0 or a negative errno. */
  fchmod?(flags: number): number;
  /** Only TCP's. Answers 0 or a negative errno. */
  getsockname?(out: object): number;
}

/** The fields of net.Server that its own code uses and its types leave out. */
export interface ServerInternals extends OwningServer {
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
  /** Peers that are turned away without a word. */
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

/** A server's open connections as node counts them; `getConnections()` says it later. */
export function connectionsOf(server: net.Server): number {
  return (server as ServerWithInternals)._connections;
}
