/** The monotonic clock. */
import { performance } from 'node:perf_hooks';

const NANOS_PER_MILLI = 1e6;
const TRIES = 16;

/** Milliseconds. To look at it costs 40 to 100 ns: a small part of a request, but not of a touch. */
export const now = performance.now.bind(performance);

/**
 * What `now()` answers where libuv's clock (uv_hrtime), in milliseconds, reads 0: both are the same clock with other
 * origins. The process may lose the processor between two looks, so the closest of several pairs counts.
 */
function findOrigin(): number {
  let closest = Infinity;
  let origin = 0;
  for (let i = 0; i < TRIES; i++) {
    const before = now();
    const read = Number(process.hrtime.bigint()) / NANOS_PER_MILLI;
    const after = now();
    if (after - before >= closest) continue;
    closest = after - before;
    origin = (before + after) / 2 - read;
  }
  return origin;
}

/** Found on import, when no program has replaced either clock. */
export const ORIGIN = findOrigin();
