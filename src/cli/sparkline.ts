/** A row of bars, one per value, the newest on the right. */

const BARS = '▁▂▃▄▅▆▇█';
/** No sample. */
const GAP = ' ';
/** A value of 0: visible, but below all bars. */
const ZERO = '_';

/** The last `width` values, scaled to the highest of them. */
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
