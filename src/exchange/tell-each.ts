/** Calls that all have to be made, whatever one of them throws. */

/**
 * Makes each call. What one throws comes out of here, and the calls behind it follow in a tick of their own: as node has
 * them, where each comes in its own tick to begin with. A process that goes on after an exception misses none.
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
