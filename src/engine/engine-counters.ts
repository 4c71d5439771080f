import { madeEngine } from './thread-engine.js';
import { ENGINE_COUNTERS } from '../binding/addon.js';

/** This thread's engine counters: zeros where there is no engine yet. */
export function engineCounters(): Record<(typeof ENGINE_COUNTERS)[number], number> {
  const counters = madeEngine()?.native.counters();
  const entries = ENGINE_COUNTERS.map((name, i) => [name, counters?.[i] ?? 0]);
  return Object.fromEntries(entries) as Record<(typeof ENGINE_COUNTERS)[number], number>;
}
