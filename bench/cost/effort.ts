/** How much is measured. */
export const EFFORT = {
  /** Each with new processes. */
  blocks: 3,
  /** Of each block, as far as the time allows. 60 in all: the interval of their median is a quarter of a slice's deviation to each side. */
  sweeps: { least: 8, most: 20 },
  /** Of the whole run, starts and warm-ups included: a user waits three minutes. */
  seconds: 165,
  warmUp: {
    /**
     * Of what a compiler works on while it runs. V8 was seen to go on compiling until the 100,000th request or so: at half of
     * them a request was 3 % dearer than at three halves.
     */
    compiled: { window: 0.1, least: 100_000, longest: 5 },
    other: { window: 0.05, least: 0, longest: 1 },
  },
};

export type Effort = Readonly<typeof EFFORT>;
