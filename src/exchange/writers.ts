/** Reports the outcomes of writes to their callbacks and 'drain' listeners. */
import { writeDestroyedError } from '../errors/index.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { Outgoing, SocketContract } from './contracts.js';
import { takeNeedDrain } from '../node/http-messages.js';

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
  tellFrom({ socket, response, callbacks, then }, owesDrain ? RESPONSE_DRAIN : 0);
}

/** What `tellFlushed` calls, without a closure for each: a stream makes many of these calls. */
interface Calls {
  readonly socket: SocketContract;
  readonly response: Outgoing | undefined;
  readonly callbacks: readonly WriteCallback[];
  readonly then: () => void;
}

/** Their places before the callbacks. */
const RESPONSE_DRAIN = -2;
const SOCKET_DRAIN = -1;

/** As `tellEach`. */
function tellFrom(calls: Calls, from: number): void {
  const end = calls.callbacks.length;
  let at = from;
  try {
    while (at <= end) tellOne(calls, at++);
  } finally {
    // Only if one has thrown.
    if (at <= end) process.nextTick(tellFrom, calls, at);
  }
}

function tellOne({ socket, response, callbacks, then }: Calls, at: number): void {
  if (at === RESPONSE_DRAIN) {
    const isCurrent = response !== undefined && response === socket._httpMessage && !response.finished;
    if (isCurrent && takeNeedDrain(response)) response.emit('drain');
  } else if (at === SOCKET_DRAIN) socket.emit('drain');
  else if (at === callbacks.length) then();
  else callbacks[at]?.(null);
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
