/** AbortSignals as options: their check, and what they do to a call. */
import { abortError, argTypeError } from '../errors/index.js';

/** Throws unless `signal` is absent or what node itself takes for an AbortSignal: one of another realm passes. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
    throw argTypeError('options.signal', 'an instance of AbortSignal', signal);
  }
}

/** For a call that has not begun: there is nothing to undo. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

function nothing(): void {
  // No signal listens.
}

/**
 * Calls `told` once, with an AbortError, when the signal aborts; in the next tick if it already has. The function that it
 * returns takes the listener back.
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
