/** The async contexts (AsyncLocalStorage) that listeners and callbacks of a connection are called in: as node:http has them. */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { WriteCallback } from './writers.js';

/** No collector has to watch these: nobody asks for the end of a connection's async context. */
const MANUAL_DESTROY = { requireManualDestroy: true };

export function makeScope(): AsyncResource {
  return new AsyncResource('NEARWIREEXCHANGE', MANUAL_DESTROY);
}

/**
 * What a listener enters (`enterWith`) stays in the resource that it ran in until node 22: whatever is called in that later
 * finds it. Since node 24 a resource has for ever the context that it was made in, and node calls back in that of each write.
 */
function keepEntered(): boolean {
  const storage = new AsyncLocalStorage<boolean>();
  const scope = makeScope();
  scope.runInAsyncScope(() => {
    storage.enterWith(true);
  });
  const kept = scope.runInAsyncScope(() => storage.getStore()) === true;
  storage.disable();
  return kept;
}

const SCOPES_KEEP = keepEntered();

/** What comes of a write is told in this: undefined, where the connection's own does. */
export function scopeOfWrite(): AsyncResource | undefined {
  return SCOPES_KEEP ? undefined : makeScope();
}

export function inScope(scope: AsyncResource | undefined, callback: WriteCallback): WriteCallback {
  if (scope === undefined) return callback;
  return (error) => {
    scope.runInAsyncScope(callback, undefined, error);
  };
}
