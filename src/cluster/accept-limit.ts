/** Limits what a cluster worker accepts: its share of the connections, and no more than it has room for. */
import { ZERO_CONNECTIONS_IS_A_LIMIT } from '../runtime/version.js';
import type { EngineListener } from '../engine/listener.js';
import type { Place } from './worker.js';

interface CountingServer {
  maxConnections?: number;
  /** From node 22 on: close connections beyond the limit and emit 'drop' for each. */
  dropMaxConnection?: boolean;
  _connections: number;
  _emitCloseIfDrained(): void;
}

const NO_LIMIT = -1;

/** Called when a connection of the server has ended. A server may listen more than once. */
const updates = new WeakMap<CountingServer, () => void>();

function roomOf({ maxConnections, dropMaxConnection, _connections: connections }: CountingServer): number {
  const isLimit = Boolean(maxConnections) || (ZERO_CONNECTIONS_IS_A_LIMIT && maxConnections === 0);
  return maxConnections === undefined || !isLimit || dropMaxConnection
    ? NO_LIMIT
    : Math.max(0, maxConnections - connections);
}

/**
 * Makes the listener accept only what the server has room for. If other workers accept from the same socket, also
 * limits it to its share, by its place. In node's cluster the primary passes on a connection that a worker refuses;
 * here it stays in the accept queue.
 */
export function keepToAcceptLimit(server: CountingServer, listener: EngineListener, place: Place | undefined): void {
  const { native } = listener.engine;
  const shares = place !== undefined && native.shareListener(listener.id, place.balance, place.place) === 0;
  const atFirst = roomOf(server);
  // A limit may be set later: accept the first connection alone.
  let room = atFirst === NO_LIMIT ? 1 : atFirst;
  let handed = 0;
  native.setAcceptLimit(listener.id, room);
  const update = (): void => {
    if (listener.id < 0) return;
    if (shares) native.countConnections(listener.id, handed, server._connections);
    const next = roomOf(server);
    if (next === NO_LIMIT && room === NO_LIMIT) return;
    room = next;
    native.setAcceptLimit(listener.id, room);
  };
  const accept = listener.onAccept.bind(listener);
  listener.onAccept = (id) => {
    handed++;
    accept(id);
    update();
  };
  if (!updates.has(server)) {
    // Node calls it for each connection that has ended.
    const ended = server._emitCloseIfDrained.bind(server);
    server._emitCloseIfDrained = () => {
      updates.get(server)?.();
      ended();
    };
  }
  updates.set(server, update);
}
