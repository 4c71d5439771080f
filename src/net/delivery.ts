/** How a stream is given what its wire has read. */
import { Duplex } from 'node:stream';
import { report } from './async-scopes.js';
import type { ReadableStateView } from '../node/stream-state.js';

/** The wire that reads, and its stream. */
interface DeliveringWire {
  readonly socket: Duplex & { readonly _readableState: ReadableStateView };
  pushed: boolean;
  stopReading(): void;
}

/** What a subclass may have in its place. */
const nodesPush = Duplex.prototype.push;
const nodesEmit = Duplex.prototype.emit;

/** Whether what comes goes right to listeners of 'data': the stream flows, is empty, and is nobody's own in these methods. */
export function passesStream({ socket }: DeliveringWire): boolean {
  const state = socket._readableState;
  return (
    socket.push === nodesPush &&
    state.flowing === true &&
    state.length === 0 &&
    !state.decoder &&
    socket.emit === nodesEmit
  );
}

/** What listeners throw is reported here, as by Scope.run(), which costs a message more than this. */
export function deliver(wire: DeliveringWire, chunk: Buffer): void {
  const { socket } = wire;
  try {
    // Without push()'s bookkeeping; without a listener it keeps the chunk.
    if (wire.pushed && passesStream(wire) && socket.emit('data', chunk)) return;
    wire.pushed = true;
    if (!socket.push(chunk)) wire.stopReading();
  } catch (error) {
    report(error);
  }
}

export function endReading(wire: DeliveringWire): void {
  const { socket } = wire;
  // As node's sockets have done from their start: without it, what push() tells of comes a tick late.
  if (!wire.pushed) socket.read(0);
  socket.push(null);
  // 'end' comes even to a socket that is paused, if nothing is buffered.
  socket.read(0);
}
