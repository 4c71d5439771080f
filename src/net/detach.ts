/** Moves a socket's descriptor out of its connection: to one of node's handles, or to another process. */
import { LingeringWrites } from './lingering-writes.js';
import { giveUnread, type SocketConnection } from './socket-connection.js';

/**
 * Gives the descriptor away, with the bytes that were read but not delivered. Writes whose callbacks are pending call
 * back on the next tick. Returns undefined, and changes nothing, if the kernel does not take all bytes that are to be
 * sent.
 */
export function giveAway(connection: SocketConnection): { fd: number; unread: Buffer[]; reading: boolean } | undefined {
  connection.stopSplices();
  const held = connection.unread ?? [];
  if (held.some((item) => typeof item === 'number')) return undefined;
  // A held end can be dropped: the next reader meets it again.
  const chunks = held.filter((item) => Buffer.isBuffer(item));
  let seen = connection.bytesRead;
  for (const chunk of chunks) seen += chunk.length;
  const fresh = connection.engine.takeUnread(connection.id, seen);
  for (const chunk of fresh) seen += chunk.length;
  const unread = [...chunks, ...fresh];
  const fd = connection.detach(seen);
  if (fd < 0) {
    // They are no longer in the batch, so they are delivered like other held data.
    if (fresh.length > 0) {
      connection.unread = unread;
      process.nextTick(giveUnread, connection);
    }
    return undefined;
  }
  connection.bytesRead = seen;
  connection.unread = undefined;
  connection.callBackLater();
  connection.scope.end();
  return { fd, unread, reading: connection.reading };
}

/** Another process has the socket now: closes it as soon as the kernel has taken all writes. */
export function transferToProcess(connection: SocketConnection): void {
  connection.stopSplices();
  connection.stopReading();
  connection.flush();
  if (connection.blocked && connection.open) {
    new LingeringWrites(connection.engine, connection.id).begin();
    connection.id = -1;
    connection.awaitingFlush = false;
    connection.callBackLater();
  } else {
    connection.closeNow(false);
  }
  connection.scope.end();
}
