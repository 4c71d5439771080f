/** Delivers to a stream what its connection has read. */
import { Duplex } from 'node:stream';
import { report } from './async-scopes.js';
import { readableState } from '../node/stream-state.js';

/** The reading connection and its stream. */
interface DeliveringConnection {
  readonly socket: Duplex;
  pushed: boolean;
  stopReading(): void;
}

/** The original methods, as a subclass may override them. */
const originalPush = Duplex.prototype.push;
const originalEmit = Duplex.prototype.emit;

/**
 * Whether chunks can go directly to 'data' listeners: the stream flows, is empty, and does not override these methods.
 */
export function passesStream({ socket }: DeliveringConnection): boolean {
  const state = readableState(socket);
  return (
    socket.push === originalPush &&
    state.flowing === true &&
    state.length === 0 &&
    !state.decoder &&
    socket.emit === originalEmit
  );
}

/** Reports exceptions of listeners like Scope.run(), which costs more per message. */
export function deliver(connection: DeliveringConnection, chunk: Buffer): void {
  const { socket } = connection;
  try {
    // Skips push()'s bookkeeping. Without a listener, push() must keep the chunk.
    if (connection.pushed && passesStream(connection) && socket.emit('data', chunk)) return;
    connection.pushed = true;
    if (!socket.push(chunk)) connection.stopReading();
  } catch (error) {
    report(error);
  }
}

export function endReading(connection: DeliveringConnection): void {
  const { socket } = connection;
  // As node's sockets do from the start: without it, what push() triggers comes a tick late.
  if (!connection.pushed) socket.read(0);
  socket.push(null);
  // If nothing is buffered, 'end' must be emitted even while the socket is paused.
  socket.read(0);
}
