/** What is set for a thread as a whole, as its loop is one. `configure()` is the way in. */
import { argValueError } from './errors.js';

const SPIN_VARIABLE = 'NEARWIRE_SPIN';

/**
 * The longest spin, in microseconds. To wake up costs tens of them, some hundreds where a core has to leave its deepest
 * sleep: who waits for longer than a millisecond can only lose by staying awake.
 */
export const MAX_SPIN = 1000;

let spin: number | undefined;

function spinOfEnvironment(): number {
  const value = process.env[SPIN_VARIABLE];
  if (value === undefined || value === '') return 0;
  const microseconds = Number(value);
  if (!/^\d+$/.test(value) || microseconds > MAX_SPIN) {
    throw argValueError(SPIN_VARIABLE, value, `must be a whole number from 0 to ${String(MAX_SPIN)}`);
  }
  return microseconds;
}

/** Microseconds. Throws ERR_INVALID_ARG_VALUE if nothing has been set and `NEARWIRE_SPIN` holds something unknown. */
export function spinOfThread(): number {
  return spin ?? spinOfEnvironment();
}

export function setSpinOfThread(microseconds: number): void {
  spin = microseconds;
}
