/** The longest accept queue that this process has seen at each listener. */

/**
 * The number of listeners remembered; beyond it, the least recently inspected is forgotten. No program watches
 * thousands of listeners.
 */
const MOST_LISTENERS = 1024;

const highest = new Map<string, number>();

/**
 * Records a queue length of the listener with this cookie, and returns the longest one recorded. `counted`: the length
 * that the server itself has counted while accepting, if it is one of nearwire's.
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
