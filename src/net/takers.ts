/** Servers of node:net whose connections belong to a server of another kind: they listen and accept for it. */
import type * as net from 'node:net';
import type { Engine } from '../engine/engine.js';

export interface Taker {
  /** What stands as the server in events: whose connections these are. */
  readonly server: object;
  /** Whether a connection is of no use to it before its peer has said something: such ones come later then. */
  readonly peerSpeaksFirst: boolean;
  /** Takes a native connection over from the engine. `insideClose`: the program is just closing the server. */
  take(engine: Engine, id: number, insideClose: boolean): void;
}

const takers = new WeakMap<object, Taker>();

/**
 * Has a server's native connections given to a taker: no socket is made of them, and no 'connection' emitted. What it
 * reads is lent. Whoever takes them says when they are closed: see `noteTakenClosed`. On `js` sockets come by 'connection'
 * as always. On both, `nearwire:connection` and `nearwire:close` are the taker's to publish. To be called before `listen()`.
 */
export function setTaker(server: net.Server, taker: Taker): void {
  takers.set(server, taker);
}

export function takerOf(server: net.Server): Taker | undefined {
  return takers.get(server);
}

/** What stands for this server in events. */
export function toldServer(server: net.Server): object {
  return takers.get(server)?.server ?? server;
}
