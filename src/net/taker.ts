/** Connections of a server that are not made into sockets: whoever takes them reads and writes by the engine. */
import type * as net from 'node:net';
import type { Engine } from '../engine.js';
import type { ServerWithInternals } from './server-internals.js';

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

/** Who takes a server's connections. undefined: they become sockets. */
export function takerOf(server: net.Server): Taker | undefined {
  return takers.get(server);
}

/** One of the connections that a server's taker has is closed: its 'close' waits for them. */
export function noteTakenClosed(server: net.Server): void {
  const internals = server as ServerWithInternals;
  internals._connections--;
  internals._emitCloseIfDrained();
}
