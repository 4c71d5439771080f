/** A signal may be aborted at any await: a call, as the compiler would remember what a property was before one. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
