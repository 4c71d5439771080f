import { digits } from '../format.js';

const MICROS_PER_MILLI = 1000;

/** `38.1 us`, `1.42 ms`. */
export function formatTime(micros: number): string {
  return Math.abs(micros) < MICROS_PER_MILLI ? `${digits(micros)} us` : `${digits(micros / MICROS_PER_MILLI)} ms`;
}
