/** How much is measured. */
export const EFFORT = {
  /** Each with new processes. */
  blocks: 3,
  /**
   * Sweeps per block, as far as the time allows. 60 in all: the interval of their median is then a quarter of a slice's
   * deviation to each side.
   */
  sweeps: { least: 8, most: 20 },
  /** Seconds of the whole run, including starts and warm-ups: a user waits three minutes. */
  seconds: 165,
  warmUp: {
    /**
     * For code that a JIT compiles. V8 was seen to continue compiling until about the 100,000th request: after half of
     * them a request was 3 % more expensive than after one and a half times as many.
     */
    compiled: { window: 0.1, least: 100_000, longest: 5 },
    other: { window: 0.05, least: 0, longest: 1 },
  },
};

export type Effort = Readonly<typeof EFFORT>;
