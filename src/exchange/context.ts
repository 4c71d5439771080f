/** The async contexts (AsyncLocalStorage) that listeners and callbacks of a connection are called in. */
import { AsyncResource } from 'node:async_hooks';

/** No collector has to watch these: nobody asks for the end of a connection's async context. */
const MANUAL_DESTROY = { requireManualDestroy: true };

/** The context of now, to call something in later. */
export function captureScope(): AsyncResource {
  return new AsyncResource('NEARWIREEXCHANGE', MANUAL_DESTROY);
}
