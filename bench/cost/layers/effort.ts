import type { WarmUpLimits } from '../warm-up.js';

/** How much is measured. */
export interface Effort {
  /** Each with new processes. */
  readonly blocks: number;
  /** Of each block. */
  readonly sweeps: number;
  readonly warmUp: WarmUpLimits;
}

/** V8 was seen to go on compiling until the 100,000th request or so; at half of them it is within 2 % of the end. */
const WARM_UP: WarmUpLimits = { window: 0.1, least: 50_000, longest: 4 };

/** Under three minutes for two chains. */
export const EFFORT: Effort = { blocks: 3, sweeps: 20, warmUp: WARM_UP };
