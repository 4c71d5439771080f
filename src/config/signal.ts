/** AbortSignals as options: checks them and connects them to calls. */
import { abortError, argTypeError } from '../errors/index.js';

/** Throws unless `signal` is absent or an AbortSignal by node's own criteria, which accept one of another realm. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
    throw argTypeError('options.signal', 'an instance of AbortSignal', signal);
  }
}

/** For a call that has not begun, so that nothing has to be undone. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

function nothing(): void {
  // Without a signal there is no listener.
}

/**
 * Calls `told` once, with an AbortError, when the signal aborts; on the next tick if it already has. Returns a function
 * that removes the listener.
 */
export function whenAborted(signal: AbortSignal | undefined, told: (error: Error) => void): () => void {
  if (signal === undefined) return nothing;
  let listens = true;
  const release = (): void => {
    listens = false;
    signal.removeEventListener('abort', onAbort);
  };
  const onAbort = (): void => {
    if (!listens) return;
    release();
    told(abortError(signal));
  };
  if (signal.aborted) process.nextTick(onAbort);
  else signal.addEventListener('abort', onAbort);
  return release;
}
