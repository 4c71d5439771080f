/** What those who write to a connection are told of it. */
import { writeDestroyedError } from '../errors.js';
import { takeNeedDrain, type Outgoing } from './internals.js';
import type { ExchangeSocket } from './socket.js';
import { tellEach } from './tell-each.js';

export type WriteCallback = (error?: Error | null) => void;

/** Writes are with the kernel. In node's order: 'drain' if it is owed, then one by one; and then this is called. */
export function tellFlushed(
  socket: ExchangeSocket,
  response: Outgoing | undefined,
  callbacks: readonly WriteCallback[],
  owesDrain: boolean,
  then: () => void,
): void {
  const calls = tellingAll(callbacks, null);
  if (owesDrain) {
    calls.unshift(
      () => {
        if (response === undefined || response !== socket._httpMessage || response.finished) return;
        if (takeNeedDrain(response)) response.emit('drain');
      },
      () => socket.emit('drain'),
    );
  }
  calls.push(then);
  tellEach(calls);
}

/** Calls that tell each of this. */
export function tellingAll(callbacks: readonly WriteCallback[], error: Error | null): (() => void)[] {
  return callbacks.map((callback) => () => {
    callback(error);
  });
}

/** Calls that tell writes of a closed connection that they will never be with the kernel. */
export function tellingLost(callbacks: readonly WriteCallback[], failure: Error | undefined): (() => void)[] {
  return tellingAll(callbacks, failure ?? writeDestroyedError());
}
