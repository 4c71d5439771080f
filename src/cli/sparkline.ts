/** A row of bars, one for each value, the newest at the right. */

const BARS = '▁▂▃▄▅▆▇█';
/** Nothing was seen there. */
const GAP = ' ';
/** A value of 0 is seen, but stands below all bars. */
const ZERO = '_';

/** The last `width` values, against the highest of them. */
export function sparkline(values: readonly (number | undefined)[], width: number): string {
  const shown = values.slice(-Math.max(1, width));
  const highest = Math.max(0, ...shown.map((value) => value ?? 0));
  return shown.map((value) => bar(value, highest)).join('');
}

function bar(value: number | undefined, highest: number): string {
  if (value === undefined) return GAP;
  if (value <= 0) return ZERO;
  const index = Math.ceil((value / highest) * BARS.length) - 1;
  return BARS[Math.min(BARS.length - 1, Math.max(0, index))] ?? GAP;
}
