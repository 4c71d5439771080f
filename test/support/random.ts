/** Numbers for simulations: the same in each run of a test. */

/** Numbers from 0 up to, not including, `limit`. */
export type Random = (limit: number) => number;

/** Mulberry32: words of 32 bits. */
function words(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** From 0 to 1. */
export function random(seed: number): () => number {
  const next = words(seed);
  return () => next() / 2 ** 32;
}

export function randomOf(seed: number): Random {
  const next = words(seed);
  return (limit) => next() % limit;
}

export function pick<Of>(random: Random, list: readonly Of[]): Of {
  const index = random(list.length);
  if (index >= list.length || Number.isNaN(index)) throw new Error('nothing to pick from');
  return list[index] as Of;
}

/** Box and Muller: of mean 0 and deviation 1. */
export function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
