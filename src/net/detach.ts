/** How a socket's descriptor leaves its connection: for a handle of node's, or for another process. */
import { LingeringWrites } from './lingering-writes.js';
import { giveUnread, type SocketConnection } from './socket-connection.js';

/**
 * Gives the descriptor away, with what has been read and not been told of. Writes that have not called back yet do so
 * on the next tick. undefined, and nothing has changed, where the kernel does not take all that is to be sent.
 */
export function giveAway(connection: SocketConnection): { fd: number; unread: Buffer[]; reading: boolean } | undefined {
  connection.stopSplices();
  const held = connection.unread ?? [];
  if (held.some((item) => typeof item === 'number')) return undefined;
  // An end that is held is found again by whoever reads next.
  const chunks = held.filter((item) => Buffer.isBuffer(item));
  let seen = connection.bytesRead;
  for (const chunk of chunks) seen += chunk.length;
  const fresh = connection.engine.takeUnread(connection.id, seen);
  for (const chunk of fresh) seen += chunk.length;
  const unread = [...chunks, ...fresh];
  const fd = connection.detach(seen);
  if (fd < 0) {
    // They have been taken out of the batch, and come as what the stream has been spared.
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

/** Another process has the socket now: closes as soon as the kernel has all that was written. */
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
