/** What happens with each of node's own sockets that a server of node's accepts, before any program sees it. */
import type * as net from 'node:net';

type Step = (socket: net.Socket) => void;

/** For a server whose program gets other objects for its connections than node's sockets. */
export interface Diversion {
  /** Whether it is one of these objects. */
  isOwn(socket: unknown): boolean;
  /** Serves one of node's sockets, or any other stream that 'connection' was emitted with. */
  serve(socket: net.Socket): void;
}

interface Diverted {
  readonly diversion: Diversion;
  readonly steps: Step[];
}

const diverted = new WeakMap<net.Server, Diverted>();

/** Has sockets of node's served in the place of calling the listeners of 'connection', if this server will have any. */
export function divertAccepted(server: net.Server, diversion: Diversion): void {
  diverted.set(server, { diversion, steps: [] });
}

export function divertsAccepted(server: net.Server): boolean {
  return diverted.has(server);
}

/** Calls back with each socket of node's, before all listeners of 'connection' and all such callbacks so far. */
export function onAccepted(server: net.Server, step: Step): void {
  const found = diverted.get(server);
  if (found === undefined) {
    server.prependListener('connection', step);
    return;
  }
  if (found.steps.length === 0) install(server, found);
  found.steps.unshift(step);
}

/** Only now, because it costs each request of a server whose connections are native. */
function install(server: net.Server, { diversion, steps }: Diverted): void {
  const emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'connection' || diversion.isOwn(args[0])) {
      // Found anew: programs replace it on node's prototypes.
      const { emit: inherited } = Object.getPrototypeOf(server) as net.Server;
      return Reflect.apply(inherited, server, [event, ...args]) as boolean;
    }
    const socket = args[0] as net.Socket;
    for (const step of steps) step(socket);
    diversion.serve(socket);
    return true;
  };
  Object.defineProperty(server, 'emit', { value: emit, writable: true, configurable: true });
}
