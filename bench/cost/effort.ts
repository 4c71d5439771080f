import type { WarmUpLimits } from '../warm-up.js';

/** How much is measured. */
export interface Effort {
  /** Each with new processes. */
  readonly blocks: number;
  /** Of each block: at most as many, as far as the time allows, and at least a few. */
  readonly sweeps: { readonly least: number; readonly most: number };
  /** Of the whole run, starts and warm-ups included. */
  readonly seconds: number;
  /** Of what a compiler works on while it runs, and of what is as it is. */
  readonly warmUp: { readonly compiled: WarmUpLimits; readonly other: WarmUpLimits };
}

export const EFFORT: Effort = {
  blocks: 3,
  // 60 in all: the interval of their median is a quarter of a slice's deviation to each side.
  sweeps: { least: 8, most: 20 },
  // A user waits three minutes.
  seconds: 165,
  warmUp: {
    // V8 was seen to go on compiling until the 100,000th request or so; at half of them it is within 2 % of the end.
    compiled: { window: 0.1, least: 50_000, longest: 3 },
    other: { window: 0.05, least: 0, longest: 1 },
  },
};
