/**
 * A signal may be aborted during any await. This is a call because the compiler would assume that a property keeps its
 * value across one.
 */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
