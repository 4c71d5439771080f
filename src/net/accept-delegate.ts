/** Servers of node:net that listen and accept on behalf of a server of another kind, which owns the connections. */
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';

export interface AcceptDelegate {
  /** The server to name in events: the connections' owner. */
  readonly server: object;
  /** Delay accept until the first byte (TCP_DEFER_ACCEPT). */
  readonly peerSpeaksFirst: boolean;
  /**
   * Takes a native connection over from the engine. `insideClose`: the program is inside its call that closes the
   * server.
   */
  take(engine: Engine, id: number, insideClose: boolean): void;
}

const delegates = new WeakMap<object, AcceptDelegate>();

/**
 * Gives a server's native connections to an accept delegate: no socket is made of them, and 'connection' is not
 * emitted. Their reads are lent. The delegate must report when they are closed: see `noteDelegatedClosed`. On `js`,
 * sockets arrive through 'connection' as usual. On both, the delegate publishes `nearwire:connection` and
 * `nearwire:close`. Call it before `listen()`.
 */
export function setAcceptDelegate(server: net.Server, delegate: AcceptDelegate): void {
  delegates.set(server, delegate);
}

export function acceptDelegateOf(server: net.Server): AcceptDelegate | undefined {
  return delegates.get(server);
}

/** The object that represents this server in events. */
export function toldServer(server: net.Server): object {
  return delegates.get(server)?.server ?? server;
}
