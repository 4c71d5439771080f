/** The deepest queue that this process has seen at each listener. */

/** Listeners remembered; the one looked at longest ago goes first. Thousands of listeners are no use to watch. */
const MOST_LISTENERS = 1024;

const highest = new Map<string, number>();

/** Notes a depth of the listener with this cookie, and answers the deepest of all that were noted. */
export function noteDepth(cookie: string, queued: number): number {
  const deepest = Math.max(queued, highest.get(cookie) ?? 0);
  highest.delete(cookie);
  highest.set(cookie, deepest);
  if (highest.size > MOST_LISTENERS) {
    const [oldest] = highest.keys();
    if (oldest !== undefined) highest.delete(oldest);
  }
  return deepest;
}
