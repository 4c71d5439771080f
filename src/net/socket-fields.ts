/** The fields of a native socket for the code that works on it; socket-base.ts defines them. */
import type * as net from 'node:net';
import type { NativeEndpoint } from '../binding/addon.js';
import type { Scope } from './async-scopes.js';
import type { ConnectionCounting } from '../node/server-connections.js';
import type { SocketSettings } from './socket-options.js';
import type { SocketConnection } from './socket-connection.js';
import type { ConnectedSocket } from './connected-socket.js';
import type { HeldWrite, WriteCallback } from '../node/stream-state.js';

/** A write of the stream that waits for the connection, or for a file to be opened. */
export interface EarlyWrite {
  parts: Uint8Array[];
  callback: WriteCallback;
  awaitsFile: boolean;
}

export interface SocketFields extends ConnectedSocket {
  connecting: boolean;
  _connection: SocketConnection | undefined;
  /** Shared by all sockets of a server until one changes its own. */
  _settings: SocketSettings;
  /** The async context of connect(). */
  _scope?: Scope;
  /** The value of `_httpMessage`. */
  _message?: unknown;
  /** Addresses that must not be connected to. */
  blockList?: net.BlockList;
  autoSelectFamilyAttemptedAddresses: string[];
  /** The same as `server`, used to count its connections. */
  _server: ConnectionCounting | null;
  _peerName: NativeEndpoint | undefined;
  _ownName: NativeEndpoint | undefined;
  /** The outcome of the stream's next write, which has already been sent: see `SocketConnection.noteSent`. */
  _sentAhead: number | undefined;
  /** Writes made while corked, and their length as streams count it. */
  _held: HeldWrite[] | undefined;
  _heldLength: number;
  _earlyWrite: EarlyWrite | undefined;
}
