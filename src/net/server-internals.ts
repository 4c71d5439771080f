import type * as net from 'node:net';
import type { ListenHandle } from './listen-handle.js';
import type { OwningServer } from './socket-base.js';

/** The fields of net.Server that its own code uses and its types leave out. */
export interface ServerInternals extends OwningServer {
  _handle: ListenHandle | null;
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
