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

interface Accepted {
  steps: Step[];
  /** Those that the steps have seen: a program may emit 'connection' with one of them again. */
  seen: WeakSet<net.Socket>;
}

const watched = new WeakMap<net.Server, Accepted>();
const diverted = new WeakSet<net.Server>();

/**
 * Has sockets of node's, and streams that a program emits 'connection' with, served in the place of calling its listeners.
 */
export function divertAccepted(server: net.Server, diversion: Diversion): void {
  const accepted: Accepted = { steps: [], seen: new WeakSet() };
  watched.set(server, accepted);
  diverted.add(server);
  // Each request of the server passes through here: an array made of the arguments would be 448 bytes of its garbage.
  const emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === 'connection' && !diversion.isOwn(args[0])) {
      const socket = args[0] as net.Socket;
      takeSteps(server, accepted, socket);
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

/**
 * Calls back with each socket of node's that the server accepts, before all listeners of 'connection' and all such
 * callbacks so far. Not with what a program emits 'connection' with: that is another's.
 */
export function onAccepted(server: net.Server, step: Step): void {
  const accepted = watched.get(server) ?? watch(server);
  accepted.steps.unshift(step);
}

function watch(server: net.Server): Accepted {
  const accepted: Accepted = { steps: [], seen: new WeakSet() };
  watched.set(server, accepted);
  server.prependListener('connection', (socket) => {
    takeSteps(server, accepted, socket);
  });
  return accepted;
}

function takeSteps(server: net.Server, { steps, seen }: Accepted, socket: net.Socket): void {
  // Node sets this in what it accepts, before it emits 'connection'.
  if ((socket as { server?: unknown }).server !== server || seen.has(socket)) return;
  seen.add(socket);
  for (const step of steps) step(socket);
}
