/** Servers of node:net whose connections belong to a server of another kind: they listen and accept for it. */
import type * as net from 'node:net';
import type { Engine } from '../engine.js';

/** Takes a connection over from the engine. */
export type Taker = (engine: Engine, id: number) => void;

const takers = new WeakMap<net.Server, Taker>();

/**
 * Has a server's native connections given to this function: no socket is made of them, and no 'connection' emitted. What it
 * reads is lent. Whoever takes them says when they are closed: see `noteTakenClosed`. To be called before `listen()`.
 */
export function setTaker(server: net.Server, taker: Taker): void {
  takers.set(server, taker);
}

export function takerOf(server: net.Server): Taker | undefined {
  return takers.get(server);
}
