/** Where something begins. */

/**
 * The least size at which `happens` says true, if it does so for all that are larger; `grain` is how finely it is looked
 * for, as a share of itself. The search begins at `first`. Undefined: it does not happen up to `most`.
 */
export async function leastThat(
  happens: (size: number) => Promise<boolean>,
  first: number,
  most: number,
  grain: number,
): Promise<number | undefined> {
  let [below, above] = [0, first];
  while (!(await happens(above))) {
    if (above >= most) return undefined;
    [below, above] = [above, Math.min(above * 2, most)];
  }
  while (above - below > Math.max(1, above * grain)) {
    const middle = Math.floor((below + above) / 2);
    if (await happens(middle)) above = middle;
    else below = middle;
  }
  return above;
}
