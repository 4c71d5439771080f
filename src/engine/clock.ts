/** The monotonic clock. */
import { performance } from 'node:perf_hooks';

const NANOS_PER_MILLI = 1e6;
const TRIES = 16;

/** Milliseconds. Reading the clock costs 40 to 100 ns: little for a request, but not for every access to a socket. */
export const now = performance.now.bind(performance);

/**
 * The value of `now()` at which libuv's clock (uv_hrtime), in milliseconds, reads 0: they are the same clock with
 * different origins. The process may be descheduled between two readings, so the closest of several pairs counts.
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

/** Read on import, before a program can replace either clock. */
export const ORIGIN = findOrigin();
