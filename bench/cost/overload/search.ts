/** Where something begins. */

/** Finer than this share of itself a limit is not looked for. */
const GRAIN = 1 / 256;

/**
 * The least size, from `low` on and to a 256th, at which `happens` says true, if it does for all that are larger. Undefined: it does not up to `most`.
 */
export async function leastThat(
  happens: (size: number) => Promise<boolean>,
  low: number,
  most: number,
): Promise<number | undefined> {
  let [below, above] = [0, low];
  while (!(await happens(above))) {
    if (above >= most) return undefined;
    [below, above] = [above, Math.min(above * 2, most)];
  }
  while (above - below > Math.max(1, above * GRAIN)) {
    const middle = Math.floor((below + above) / 2);
    if (await happens(middle)) above = middle;
    else below = middle;
  }
  return above;
}
