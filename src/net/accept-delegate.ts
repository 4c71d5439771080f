/** Who serves a server's native connections in the place of sockets. */
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';
import type { SocketSettings } from './socket-options.js';

/** The listener that has accepted a connection. */
export interface AcceptingListener {
  readonly engine: Engine;
  readonly tcp: boolean;
  readonly settings: SocketSettings;
  /** Calls this in the async context of listen(), but not from inside the program's call that closes the server. */
  announce<Host>(admit: Admit<Host>, host: Host, id: number): void;
}

/** Serves a connection. Returns whether a listener of the program was called, which may have left ticks to run. */
export type Admit<Host> = (host: Host, listener: AcceptingListener, id: number) => boolean;

export interface AcceptDelegate {
  /** What it speaks on the connections. */
  readonly protocol: string;
  /** Delay accept until the first byte (TCP_DEFER_ACCEPT). */
  readonly peerSpeaksFirst: boolean;
  /** Whether it keeps what is read; otherwise it is lent. */
  readonly owned: boolean;
  /**
   * Takes a native connection over from the listener's engine. `insideClose`: the program is inside its call that
   * closes the server, and this is in the async context of listen() already. Returns false if a socket is to be made of it.
   */
  take(listener: AcceptingListener, id: number, insideClose: boolean): boolean;
}

const delegates = new WeakMap<object, AcceptDelegate>();

/**
 * Gives a server's native connections to an accept delegate: no socket is made of them, and 'connection' is for the
 * delegate to emit. It must report when they are closed (see `noteDelegatedClosed`), and publish `nearwire:connection`
 * and `nearwire:close`. Call it before `listen()`.
 */
export function setAcceptDelegate(server: net.Server, delegate: AcceptDelegate): void {
  delegates.set(server, delegate);
}

/** Gives servers of a kind their delegate as they begin to listen. */
let findDelegate: ((server: net.Server) => AcceptDelegate | undefined) | undefined;

/** `find` is called with each server that begins to listen natively and has no delegate. */
export function setDelegateFinder(find: (server: net.Server) => AcceptDelegate | undefined): void {
  findDelegate = find;
}

export function acceptDelegateOf(server: net.Server): AcceptDelegate | undefined {
  let delegate = delegates.get(server);
  if (delegate === undefined) {
    delegate = findDelegate?.(server);
    if (delegate !== undefined) delegates.set(server, delegate);
  }
  return delegate;
}

/** What this server's delegate speaks, if it has one so far. */
export function protocolOf(server: net.Server): string | undefined {
  return delegates.get(server)?.protocol;
}
