/** Servers of node:net whose connections belong to a server of another kind: they listen and accept for it. */
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';

export interface AcceptDelegate {
  /** What stands as the server in events: whose connections these are. */
  readonly server: object;
  /** Whether a connection is of no use to it before its peer has said something: such ones come later then. */
  readonly peerSpeaksFirst: boolean;
  /** Takes a native connection over from the engine. `insideClose`: the program is just closing the server. */
  take(engine: Engine, id: number, insideClose: boolean): void;
}

const delegates = new WeakMap<object, AcceptDelegate>();

/**
 * Has a server's native connections given to an accept delegate: no socket is made of them, and no 'connection' emitted. What it
 * reads is lent. Whoever takes them says when they are closed: see `noteDelegatedClosed`. On `js` sockets come by 'connection'
 * as always. On both, `nearwire:connection` and `nearwire:close` are the delegate's to publish. To be called before `listen()`.
 */
export function setAcceptDelegate(server: net.Server, delegate: AcceptDelegate): void {
  delegates.set(server, delegate);
}

export function acceptDelegateOf(server: net.Server): AcceptDelegate | undefined {
  return delegates.get(server);
}

/** What stands for this server in events. */
export function toldServer(server: net.Server): object {
  return delegates.get(server)?.server ?? server;
}
