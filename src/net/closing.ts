/** The 'close' events of sockets: told in a later phase of the loop than the call that closed, as node does. */
import { setImmediate } from 'node:timers';
import { runTicks } from '../run-ticks.js';

interface Closed {
  /** Emits the socket's 'close'. */
  _emitClose(): void;
}

let waiting: Closed[] = [];

/** Has `_emitClose` called soon. All that close in one turn of the loop share one immediate. */
export function tellClosed(socket: Closed): void {
  if (waiting.push(socket) === 1) setImmediate(tellAll);
}

function tellAll(): void {
  const batch = waiting;
  waiting = [];
  let next = 0;
  try {
    while (next < batch.length) {
      (batch[next++] as Closed)._emitClose();
      // Each is a callback of its own to node: ticks and microtasks run before the next one.
      if (next < batch.length) runTicks();
    }
  } finally {
    // A listener threw: those behind it are still told.
    for (const socket of batch.slice(next)) tellClosed(socket);
  }
}
