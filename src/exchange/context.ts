/** The async contexts (AsyncLocalStorage) in which listeners and callbacks of a connection are called. */
import { AsyncResource } from 'node:async_hooks';

/** Spares the garbage collector from tracking them: no code needs their destroy hook. */
const MANUAL_DESTROY = { requireManualDestroy: true };

/** Captures the current context for a later call. */
export function captureScope(): AsyncResource {
  return new AsyncResource('NEARWIREEXCHANGE', MANUAL_DESTROY);
}
