/** What those who write to a connection are told of it. */
import { writeDestroyedError } from '../errors/index.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { Outgoing, SocketContract } from './contracts.js';
import { takeNeedDrain } from '../node/http-messages.js';
import { tellEach } from './tell-each.js';

/** Writes are with the kernel. In node's order: 'drain' if it is owed, then one by one; and then this is called. */
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
