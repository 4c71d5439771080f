/** How a stream is given what its connection has read. */
import { Duplex } from 'node:stream';
import { report } from './async-scopes.js';
import type { ReadableStateView } from '../node/stream-state.js';

/** The connection that reads, and its stream. */
interface DeliveringConnection {
  readonly socket: Duplex & { readonly _readableState: ReadableStateView };
  pushed: boolean;
  stopReading(): void;
}

/** What a subclass may have in its place. */
const originalPush = Duplex.prototype.push;
const originalEmit = Duplex.prototype.emit;

/** Whether what comes goes right to listeners of 'data': the stream flows, is empty, and is nobody's own in these methods. */
export function passesStream({ socket }: DeliveringConnection): boolean {
  const state = socket._readableState;
  return (
    socket.push === originalPush &&
    state.flowing === true &&
    state.length === 0 &&
    !state.decoder &&
    socket.emit === originalEmit
  );
}

/** What listeners throw is reported here, as by Scope.run(), which costs a message more than this. */
export function deliver(connection: DeliveringConnection, chunk: Buffer): void {
  const { socket } = connection;
  try {
    // Without push()'s bookkeeping; without a listener it keeps the chunk.
    if (connection.pushed && passesStream(connection) && socket.emit('data', chunk)) return;
    connection.pushed = true;
    if (!socket.push(chunk)) connection.stopReading();
  } catch (error) {
    report(error);
  }
}

export function endReading(connection: DeliveringConnection): void {
  const { socket } = connection;
  // As node's sockets have done from their start: without it, what push() tells of comes a tick late.
  if (!connection.pushed) socket.read(0);
  socket.push(null);
  // 'end' comes even to a socket that is paused, if nothing is buffered.
  socket.read(0);
}
