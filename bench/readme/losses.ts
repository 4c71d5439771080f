/** What a critical reader would find: cases where native gains nothing or loses, and where plain C was not a limit. */
import { CASES } from '../cases/index.js';
import { describeParams, formatSpread } from '../format.js';
import type { RatioResult } from '../model.js';
import { judge, NODE_BASELINES, OURS } from '../statistics.js';
import { nodeOf, type Excerpt } from './figures.js';
import { markdownTable } from './markdown.js';

/** A median this close to 1 is no gain, even if the rounds agree. */
const NO_GAIN = 0.03;
/**
 * Measures that do not describe the server: the load generator's own, and one that is the same for all that keep up.
 */
const OF_THE_LOAD: readonly string[] = ['clientCpu', 'inTime'];

/**
 * Native against both variants of node:net, in every family: the rounds agree that it is worse, or the median is close
 * to 1.
 */
export function lossesOf(ratios: readonly RatioResult[]): RatioResult[] {
  return ratios.filter(
    (ratio) =>
      OURS.includes(ratio.subject) &&
      NODE_BASELINES.includes(ratio.baseline) &&
      !OF_THE_LOAD.includes(ratio.measure) &&
      (judge(ratio) === 'bad' || Math.abs(ratio.median - 1) <= NO_GAIN),
  );
}

/** Subjects that beat plain C, which is then no limit, in all rounds. */
export function beyondLimit(ratios: readonly RatioResult[]): string[] {
  return ratios
    .filter((ratio) => ratio.baseline === 'c' && judge(ratio) === 'good')
    .map((ratio) => `${placeOf(ratio)}: ${ratio.subject} ${formatSpread(ratio)} of plain C`);
}

function placeOf({ case: name, params, family, measure }: RatioResult): string {
  const words = [name, describeParams(params), family === 'tcp' ? 'TCP' : ''].filter(Boolean);
  return `${words.join(', ')}: ${measure}`;
}

const LEGEND =
  'All ratios, TCP too, whose rounds agree on worse or whose median is within 3 % of 1. Where one version of Node has no entry it gains, or its rounds differ.';

/** One row per case, however many versions of Node lose there. */
export function renderLosses(excerpts: readonly Excerpt[]): string {
  if (excerpts.every(({ losses }) => losses === undefined)) {
    return 'The result that is recorded has the rows of the README only, and does not tell.';
  }
  const order = CASES.map(({ name }) => name);
  const told = excerpts.flatMap((excerpt, at) => (excerpt.losses ?? []).map((ratio) => ({ at, ratio })));
  const places = new Map<string, { readonly head: readonly string[]; readonly texts: string[] }>();
  for (const { at, ratio } of told.sort((a, b) => order.indexOf(a.ratio.case) - order.indexOf(b.ratio.case))) {
    const head = [placeOf(ratio), `${ratio.subject} to ${ratio.baseline}`];
    const place = places.get(head.join()) ?? { head, texts: excerpts.map(() => '') };
    place.texts[at] = `${formatSpread(ratio)}${judge(ratio) === 'bad' ? ', worse' : ''}`;
    places.set(head.join(), place);
  }
  const titles = ['where', 'of', ...excerpts.map((excerpt) => nodeOf(excerpt, excerpts) || 'ratio')];
  const rows = [...places.values()].map(({ head, texts }) => [...head, ...texts]);
  return [...(rows.length > 0 ? markdownTable(titles, rows) : ['Nothing.']), '', LEGEND].join('\n');
}
