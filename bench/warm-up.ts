/**
 * Detects when a server is warm. A JIT compiles hot code, more than once, and each time a request costs less; caches
 * and pools fill. So a stack is loaded in short windows until a request's cost has stopped falling: the last few
 * windows are no cheaper than as many before them, apart from noise.
 */
import type { WarmUp } from './model.js';
import { median } from './statistics.js';

export type { WarmUp } from './model.js';

/** Windows that are compared with as many before them. */
const SIDE = 4;
/** For a level server, one median is rarely below the other by more. */
const FALL = 0.97;

export interface WarmUpLimits {
  /** Seconds of a window. */
  readonly window: number;
  /** Requests before which a level is not trusted: a compiler pauses between its stages. */
  readonly least: number;
  /** Seconds after which the measurement starts anyway. */
  readonly longest: number;
}

/** A window of load. */
export interface WarmUpWindow {
  readonly requests: number;
  /** The cost of a request, in any unit. */
  readonly cost: number;
}

/** `load` loads the server for one window. */
export async function warmUp(
  load: () => Promise<WarmUpWindow>,
  { window, least, longest }: WarmUpLimits,
): Promise<WarmUp> {
  const most = Math.max(2 * SIDE, Math.round(longest / window));
  const costs: number[] = [];
  let answered = 0;
  while (costs.length < most) {
    const { requests, cost } = await load();
    answered += requests;
    costs.push(cost);
    if (answered >= least && costs.length >= 2 * SIDE && isLevel(costs)) {
      return { windows: costs.length, steady: true };
    }
  }
  return { windows: most, steady: false };
}

function isLevel(costs: readonly number[]): boolean {
  const [before, now] = [costs.slice(-2 * SIDE, -SIDE), costs.slice(-SIDE)];
  return median(now) >= median(before) * FALL;
}
