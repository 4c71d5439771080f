/** Makes a list of calls, even if some of them throw. */

/**
 * Makes each call. An exception propagates, and the remaining calls follow in a tick of their own, as in node, where
 * each call has its own tick to begin with. A process that survives the exception misses none.
 */
export function tellEach(calls: readonly (() => void)[], from = 0): void {
  let at = from;
  try {
    while (at < calls.length) calls[at++]?.();
  } finally {
    // Only if one has thrown.
    if (at < calls.length) process.nextTick(tellEach, calls, at);
  }
}
