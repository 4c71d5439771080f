/** What it takes for a rate to be held: one rule for the curves, their plots and tables, and the words beside them. */
import type { Curve } from './model.js';

/** What is under way when the time is up is not counted as served: the rest of what was offered. */
const LEAST_SERVED = 0.97;

/** For a reader. */
export const HELD_MEANS = `at least ${String(LEAST_SERVED * 100)} % of what was offered was served in time, and no request failed`;

export function isHeld({ offered, served, errors }: Curve['points'][number]): boolean {
  return served >= offered * LEAST_SERVED && errors === 0;
}
