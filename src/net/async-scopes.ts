/** The async contexts in which a socket's events and the callbacks of its writes run. */
import { AsyncResource } from 'node:async_hooks';

export type WriteCallback = (error?: Error | null) => void;

// Their ends are told by us; without this the collector would have to watch each one.
const MANUAL_DESTROY = { requireManualDestroy: true };

/** The async context in which a socket's events run: that of its connect(), or none for an accepted one. */
export function socketScope(): AsyncResource {
  return new AsyncResource('NEARWIRESOCKET', MANUAL_DESTROY);
}

/** A callback that runs in the async context of the call that brought it. */
export class Waiter extends AsyncResource {
  private readonly callback: WriteCallback;

  constructor(callback: WriteCallback) {
    super('NEARWIREWRITE', MANUAL_DESTROY);
    this.callback = callback;
  }

  call(error: Error | null): void {
    this.runInAsyncScope(this.callback, undefined, error);
    this.emitDestroy();
  }
}

/** Calls all of them, oldest first; what one throws does not keep those behind it from being called. */
export function callAll(waiters: Waiter[], error: Error | null): void {
  try {
    for (let waiter = waiters.shift(); waiter !== undefined; waiter = waiters.shift()) waiter.call(error);
  } finally {
    if (waiters.length > 0) process.nextTick(callAll, waiters, error);
  }
}
