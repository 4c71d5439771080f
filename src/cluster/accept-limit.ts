/** Limits what a cluster worker accepts: its share of the connections, and no more than it has room for. */
import { connectionsOf, onConnectionEnd, roomOf, type ConnectionCounting } from '../node/server-connections.js';
import type { EngineListener } from '../engine/listener.js';
import type { Place } from './worker.js';

interface LimitedServer extends ConnectionCounting {
  /** From node 22 on: close connections beyond the limit and emit 'drop' for each. */
  dropMaxConnection?: boolean;
}

const NO_LIMIT = -1;

/** Called when a connection of the server has ended. A server may listen more than once. */
const updates = new WeakMap<LimitedServer, () => void>();

function limitOf(server: LimitedServer): number {
  const room = server.dropMaxConnection ? Infinity : roomOf(server);
  return room === Infinity ? NO_LIMIT : Math.max(0, room);
}

/**
 * Makes the listener accept only what the server has room for. If other workers accept from the same socket, also
 * limits it to its share, by its place. In node's cluster the primary passes on a connection that a worker refuses;
 * here it stays in the accept queue.
 */
export function keepToAcceptLimit(server: LimitedServer, listener: EngineListener, place: Place | undefined): void {
  const { native } = listener.engine;
  const shares = place !== undefined && native.shareListener(listener.id, place.balance, place.place) === 0;
  const atFirst = limitOf(server);
  // A listener of 'listening' may set a limit. Not longer: while a worker decides about its first connection, others take the burst.
  let room = atFirst === NO_LIMIT ? 1 : atFirst;
  let handed = 0;
  native.setAcceptLimit(listener.id, room);
  const update = (): void => {
    if (listener.id < 0) return;
    if (shares) native.countConnections(listener.id, handed, connectionsOf(server));
    const next = limitOf(server);
    if (next === NO_LIMIT && room === NO_LIMIT) return;
    room = next;
    native.setAcceptLimit(listener.id, room);
  };
  // 'listening' is emitted on the next tick.
  if (atFirst === NO_LIMIT) {
    process.nextTick(() => {
      process.nextTick(update);
    });
  }
  const accept = listener.onAccept.bind(listener);
  listener.onAccept = (id) => {
    handed++;
    accept(id);
    update();
  };
  if (!updates.has(server)) {
    onConnectionEnd(server, () => {
      updates.get(server)?.();
    });
  }
  updates.set(server, update);
}
