/** The deepest queue that this process has seen at each listener. */

/** Listeners remembered; the one looked at longest ago goes first. Thousands of listeners are no use to watch. */
const MOST_LISTENERS = 1024;

const highest = new Map<string, number>();

/**
 * Notes a depth of the listener with this cookie, and answers the deepest of all that were noted. `counted` is what its
 * server has counted while it accepted, if it is one of ours.
 */
export function noteDepth(cookie: string, queued: number, counted = 0): number {
  const deepest = Math.max(queued, counted, highest.get(cookie) ?? 0);
  highest.delete(cookie);
  highest.set(cookie, deepest);
  if (highest.size > MOST_LISTENERS) {
    const [oldest] = highest.keys();
    if (oldest !== undefined) highest.delete(oldest);
  }
  return deepest;
}
