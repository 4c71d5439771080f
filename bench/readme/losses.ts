/** What a stranger would find: where ours gains nothing or loses, and where a limit was none. */
import { CASES } from '../cases/index.js';
import { describeParams } from '../format.js';
import type { RatioResult } from '../model.js';
import { shownRatio } from '../report/cells.js';
import { judge, NODE_BASELINES } from '../statistics.js';
import { nodeOf, type Excerpt } from './excerpt.js';
import { markdownTable } from './markdown.js';

/** A median as near to 1 is no gain, whatever the rounds agree on. */
const NO_GAIN = 0.03;

const COLUMNS = ['native', 'channel'].flatMap((subject) =>
  NODE_BASELINES.map((baseline) => `${subject} to ${baseline}`),
);

function columnOf({ subject, baseline }: RatioResult): string {
  return `${subject} to ${baseline}`;
}

/** Ours against either node:net, over every family: rounds agree on worse, or the median is hardly off 1. */
export function lossesOf(ratios: readonly RatioResult[]): RatioResult[] {
  return ratios.filter(
    (ratio) => COLUMNS.includes(columnOf(ratio)) && (judge(ratio) === 'bad' || Math.abs(ratio.median - 1) <= NO_GAIN),
  );
}

/** Who is better than plain C, which is then no limit: all rounds agree on it. */
export function beyondLimit(ratios: readonly RatioResult[]): string[] {
  return ratios
    .filter((ratio) => ratio.baseline === 'c' && judge(ratio) === 'good')
    .map((ratio) => `${placeOf(ratio)}: ${ratio.subject} ${shownRatio(ratio).spread} of plain C`);
}

function placeOf({ case: name, params, family, measure }: RatioResult, node?: string): string {
  return `${[name, describeParams(params), ...(family === 'tcp' ? ['TCP'] : []), node ?? []].flat().join(', ')}: ${measure}`;
}

/** Of the result that was recorded before its losses were. */
const UNKNOWN = 'The result that is recorded has the rows of the README only, and does not tell.';

export function renderLosses(excerpts: readonly Excerpt[]): string {
  const losses = excerpts.flatMap((excerpt) =>
    (excerpt.losses ?? []).map((ratio) => ({ place: placeOf(ratio, nodeOf(excerpt, excerpts)), ratio })),
  );
  if (excerpts.every((excerpt) => excerpt.losses === undefined)) return UNKNOWN;
  const those = excerpts.length > 1 ? 'these runs' : 'this run';
  if (losses.length === 0) return `Of ${those}, nothing.`;
  const order = CASES.map(({ name }) => name);
  const places = new Map<string, RatioResult[]>();
  for (const { place, ratio } of losses.toSorted((a, b) => order.indexOf(a.ratio.case) - order.indexOf(b.ratio.case))) {
    places.set(place, [...(places.get(place) ?? []), ratio]);
  }
  const columns = COLUMNS.filter((column) => losses.some(({ ratio }) => columnOf(ratio) === column));
  const rows = [...places].map(([place, ratios]) => [
    place,
    ...columns.map((column) => {
      const found = ratios.find((ratio) => columnOf(ratio) === column);
      return found ? `${shownRatio(found).spread}${judge(found) === 'bad' ? ', worse' : ''}` : '';
    }),
  ]);
  return [
    ...markdownTable(['where', ...columns], rows),
    '',
    `All ratios of ${excerpts.length > 1 ? 'those runs' : 'that run'}, TCP too, whose rounds agree on worse or whose median is within 3 % of 1.`,
  ].join('\n');
}
