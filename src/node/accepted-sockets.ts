/** What happens with each of node's own sockets that a server of node's accepts, before any program sees it. */
import type * as net from 'node:net';

type Emit = (this: net.Server, event: string | symbol, ...args: unknown[]) => boolean;
type Step = (socket: net.Socket) => void;

/** For a server whose program gets other objects for its connections than node's sockets. */
export interface Diversion {
  /** Whether it is one of these objects. */
  isOwn(socket: unknown): boolean;
  /** Serves one of node's sockets, or any other stream that 'connection' was emitted with. */
  serve(socket: net.Socket): void;
}

/** The callbacks of `onAccepted` for servers with a diversion. */
const diverted = new WeakMap<net.Server, Step[]>();

/**
 * Has sockets of node's, and streams that a program emits 'connection' with, served in the place of calling its listeners.
 */
export function divertAccepted(server: net.Server, diversion: Diversion): void {
  const steps: Step[] = [];
  diverted.set(server, steps);
  // Each request of the server passes through here: an array made of the arguments would be 448 bytes of its garbage.
  const emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === 'connection' && !diversion.isOwn(args[0])) {
      const socket = args[0] as net.Socket;
      for (const step of steps) step(socket);
      diversion.serve(socket);
      return true;
    }
    // Found anew: programs replace it on node's prototypes.
    const { emit: inherited } = Object.getPrototypeOf(server) as { emit: Emit };
    return inherited.call(server, event, ...args);
  };
  Object.defineProperty(server, 'emit', { value: emit, writable: true, configurable: true });
}

export function divertsAccepted(server: net.Server): boolean {
  return diverted.has(server);
}

/** Calls back with each socket of node's, before all listeners of 'connection' and all such callbacks so far. */
export function onAccepted(server: net.Server, step: Step): void {
  const steps = diverted.get(server);
  if (steps === undefined) server.prependListener('connection', step);
  else steps.unshift(step);
}
