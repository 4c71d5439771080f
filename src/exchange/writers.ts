/** Reports the outcomes of writes to their callbacks and 'drain' listeners. */
import { writeDestroyedError } from '../errors/index.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { Outgoing, SocketContract } from './contracts.js';
import { takeNeedDrain } from '../node/http-messages.js';
import { tellEach } from './tell-each.js';

/**
 * The kernel has taken the writes. In node's order: 'drain' if it is owed, then the callbacks one by one, then `then`.
 */
export function tellFlushed(
  socket: SocketContract,
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

/** A call for each callback. */
export function tellingAll(callbacks: readonly WriteCallback[], error: Error | null): (() => void)[] {
  return callbacks.map((callback) => () => {
    callback(error);
  });
}

/** A call for each write of a closed connection, which will never reach the kernel. */
export function tellingLost(callbacks: readonly WriteCallback[], failure: Error | undefined): (() => void)[] {
  return tellingAll(callbacks, failure ?? writeDestroyedError());
}
