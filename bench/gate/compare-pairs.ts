/** What two builds' requests take, and whether one is dearer. */
import Table from 'cli-table3';

import { estimateOf, layoutDeviation, type Blocks, type Estimate } from '../cost/estimate.js';
import { median } from '../statistics.js';
import type { Pair } from './pairs.js';

/**
 * A case is dearer if all of its interval lies above. Of a commit against itself intervals are some 2 % to either side, and
 * their middles within 1.5 % of 1: none comes so far by chance, and what is 5 % dearer mostly does.
 */
const MARGIN = 1.02;

/** Sweep by sweep. */
function ratiosOf({ before, after }: Pair): Blocks {
  return after.map((block, i) => block.map((value, at) => value / (before[i]?.[at] ?? NaN)));
}

/** `commit`: what `before` is of. */
export function comparePairs(
  commit: string,
  pairs: ReadonlyMap<string, Pair>,
): { readonly text: string; readonly dearer: boolean } {
  const ratios = new Map([...pairs].map(([name, pair]) => [name, ratiosOf(pair)]));
  const layout = layoutDeviation([...ratios.values()]);
  const table = new Table({
    head: ['CPU a request', commit, 'this tree', 'ratio', '95 %', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
  });
  let dearer = false;
  for (const [name, { before, after }] of pairs) {
    const estimate = estimateOf(ratios.get(name) ?? [], layout);
    dearer ||= estimate.low > MARGIN;
    const microseconds = (values: Blocks): string => `${median(values.flat()).toFixed(2)} us`;
    const interval = `${estimate.low.toFixed(3)} to ${estimate.high.toFixed(3)}`;
    table.push([name, microseconds(before), microseconds(after), estimate.median.toFixed(3), interval, word(estimate)]);
  }
  return { text: table.toString(), dearer };
}

function word({ low, high }: Estimate): string {
  if (low > MARGIN) return 'dearer';
  return high < 1 / MARGIN ? 'cheaper' : '';
}
