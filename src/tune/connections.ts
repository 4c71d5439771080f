/** Finds the connections of a server that is node's own, or runs on `js`. */
import * as net from 'node:net';
import type { ChannelServer } from '../channel/types.js';
import { activeHandles } from '../node/active-handles.js';
import { counterOf } from '../stats/server-counter.js';
import type { FindConnections } from './sample.js';
import { sampled, type Sampled } from './sampled.js';

interface Accepted {
  /** The server that accepted the socket. */
  server?: unknown;
}

/** Node keeps no list of a server's sockets, only one of everything with a handle. */
function socketsOf(server: net.Server): net.Socket[] {
  return activeHandles().filter(
    (owner): owner is net.Socket => owner instanceof net.Socket && (owner as Accepted).server === server,
  );
}

/** Finds them anew at each call, but returns the same object for each socket. */
export function findConnections(server: net.Server | ChannelServer): FindConnections {
  const known = new WeakMap<net.Socket, Sampled>();
  const as = (socket: net.Socket): Sampled => {
    let one = known.get(socket);
    if (one === undefined) known.set(socket, (one = sampled(socket)));
    return one;
  };
  return () => {
    const counter = counterOf(server);
    if (counter !== undefined) return counter.nodeConnections.living.map(as);
    return server instanceof net.Server ? socketsOf(server).map(as) : [];
  };
}
