/** What a stranger would find: where ours gains nothing or loses, and where a limit was none. */
import { CASES } from '../cases/index.js';
import { describeParams, formatSpread } from '../format.js';
import type { RatioResult } from '../model.js';
import { judge, NODE_BASELINES, OURS } from '../statistics.js';
import { nodeOf, type Excerpt } from './figures.js';
import { markdownTable } from './markdown.js';

/** A median as near to 1 is no gain, whatever the rounds agree on. */
const NO_GAIN = 0.03;

/** Ours against either node:net, over every family: rounds agree on worse, or the median is hardly off 1. */
export function lossesOf(ratios: readonly RatioResult[]): RatioResult[] {
  return ratios.filter(
    (ratio) =>
      OURS.includes(ratio.subject) &&
      NODE_BASELINES.includes(ratio.baseline) &&
      (judge(ratio) === 'bad' || Math.abs(ratio.median - 1) <= NO_GAIN),
  );
}

/** Who is better than plain C, which is then no limit: all rounds agree on it. */
export function beyondLimit(ratios: readonly RatioResult[]): string[] {
  return ratios
    .filter((ratio) => ratio.baseline === 'c' && judge(ratio) === 'good')
    .map((ratio) => `${placeOf(ratio)}: ${ratio.subject} ${formatSpread(ratio)} of plain C`);
}

function placeOf({ case: name, params, family, measure }: RatioResult, node = ''): string {
  const words = [name, describeParams(params), family === 'tcp' ? 'TCP' : '', node].filter(Boolean);
  return `${words.join(', ')}: ${measure}`;
}

export function renderLosses(excerpts: readonly Excerpt[]): string {
  const runs = excerpts.length > 1 ? 'runs' : 'run';
  const order = CASES.map(({ name }) => name);
  const rows = excerpts
    .flatMap((excerpt) => (excerpt.losses ?? []).map((ratio) => ({ ratio, node: nodeOf(excerpt, excerpts) })))
    .sort((a, b) => order.indexOf(a.ratio.case) - order.indexOf(b.ratio.case))
    .map(({ ratio, node }) => [
      placeOf(ratio, node),
      `${ratio.subject} to ${ratio.baseline}`,
      `${formatSpread(ratio)}${judge(ratio) === 'bad' ? ', worse' : ''}`,
    ]);
  if (excerpts.every(({ losses }) => losses === undefined)) {
    return 'The result that is recorded has the rows of the README only, and does not tell.';
  }
  return [
    ...(rows.length > 0 ? markdownTable(['where', 'of', 'ratio'], rows) : ['Nothing.']),
    '',
    `All ratios of the ${runs}, TCP too, whose rounds agree on worse or whose median is within 3 % of 1.`,
  ].join('\n');
}
