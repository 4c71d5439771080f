/** Emits 'drain' for a socket whose writes bypass its stream. */
import type { Writable } from 'node:stream';
import { type HeldWrite, writableState } from '../node/stream-state.js';

interface DrainingSocket extends Pick<Writable, 'destroyed' | 'emit'> {
  readonly _held: readonly HeldWrite[] | undefined;
}

/** What a stream does on the tick after a write that it sent at once. */
export function tellDrained(socket: DrainingSocket): void {
  const state = writableState(socket);
  if (!state.needDrain || state.length > 0 || state.ending || socket.destroyed || socket._held !== undefined) return;
  state.needDrain = false;
  socket.emit('drain');
}
