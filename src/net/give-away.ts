/** How a socket's descriptor leaves its wire: for a handle of node's, or for another process. */
import { Remainder } from './remainder.js';
import { giveUnread, type SocketWire } from './socket-wire.js';

/**
 * Gives the descriptor away, with what has been read and not been told of. Writes that have not called back yet do so
 * on the next tick. undefined, and nothing has changed, where the kernel does not take all that is to be sent.
 */
export function giveAway(wire: SocketWire): { fd: number; unread: Buffer[]; reading: boolean } | undefined {
  wire.stopPumps();
  const held = wire.unread ?? [];
  if (held.some((item) => typeof item === 'number')) return undefined;
  // An end that is held is found again by whoever reads next.
  const chunks = held.filter((item) => Buffer.isBuffer(item));
  let seen = wire.bytesRead;
  for (const chunk of chunks) seen += chunk.length;
  const fresh = wire.engine.takeUnread(wire.id, seen);
  for (const chunk of fresh) seen += chunk.length;
  const unread = [...chunks, ...fresh];
  const fd = wire.detach(seen);
  if (fd < 0) {
    // They have been taken out of the batch, and come as what the stream has been spared.
    if (fresh.length > 0) {
      wire.unread = unread;
      process.nextTick(giveUnread, wire);
    }
    return undefined;
  }
  wire.bytesRead = seen;
  wire.unread = undefined;
  wire.callBackLater();
  wire.scope.end();
  return { fd, unread, reading: wire.reading };
}

/** Another process has the socket now: closes as soon as the kernel has all that was written. */
export function letGo(wire: SocketWire): void {
  wire.stopPumps();
  wire.stopReading();
  wire.flush();
  if (wire.blocked && wire.open) {
    new Remainder(wire.engine, wire.id).begin();
    wire.id = -1;
    wire.awaitingFlush = false;
    wire.callBackLater();
  } else {
    wire.closeNow(false);
  }
  wire.scope.end();
}
