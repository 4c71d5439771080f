/** What a stranger would find: where ours gains nothing or loses, and where a limit was none. */
import { CASES } from '../cases/index.js';
import { describeParams, formatSpread } from '../format.js';
import type { RatioResult, SubjectName } from '../model.js';
import { judge, measureOf, NODE_BASELINES } from '../statistics.js';
import { markdownTable } from './markdown.js';

/** A median as near to 1 is no gain, whatever the rounds agree on. */
const NO_GAIN = 0.03;

const OURS: readonly SubjectName[] = ['native', 'channel'];
const COLUMNS = OURS.flatMap((subject) => NODE_BASELINES.map((baseline) => ({ subject, baseline })));

function verdictOn(ratio: RatioResult): 'good' | 'bad' | '' {
  const measure = measureOf(ratio);
  return measure ? judge(ratio, measure) : '';
}

/** Ours against either node:net, over every family: rounds agree on worse, or the median is hardly off 1. */
export function lossesOf(ratios: readonly RatioResult[]): RatioResult[] {
  return ratios.filter(
    (ratio) =>
      COLUMNS.some(({ subject, baseline }) => ratio.subject === subject && ratio.baseline === baseline) &&
      (verdictOn(ratio) === 'bad' || Math.abs(ratio.median - 1) <= NO_GAIN),
  );
}

/** Who is better than plain C, which is then no limit: all rounds agree on it. */
export function beyondLimit(ratios: readonly RatioResult[]): string[] {
  return ratios
    .filter((ratio) => ratio.baseline === 'c' && verdictOn(ratio) === 'good')
    .map((ratio) => `${placeOf(ratio)}: ${ratio.subject} ${formatSpread(ratio)} of plain C`);
}

function placeOf({ case: name, params, family, measure }: RatioResult): string {
  return `${name}, ${describeParams(params)}${family === 'tcp' ? ', TCP' : ''}: ${measure}`;
}

/** Of the result that was recorded before its losses were. */
const UNKNOWN = 'The result that is recorded has the rows of the README only, and does not tell.';

export function renderLosses(losses: readonly RatioResult[] | undefined): string {
  if (losses === undefined) return UNKNOWN;
  if (losses.length === 0) return 'Of this run, nothing.';
  const order = CASES.map(({ name }) => name);
  const places = new Map<string, RatioResult[]>();
  for (const ratio of losses.toSorted((a, b) => order.indexOf(a.case) - order.indexOf(b.case))) {
    places.set(placeOf(ratio), [...(places.get(placeOf(ratio)) ?? []), ratio]);
  }
  const columns = COLUMNS.filter((column) => losses.some((ratio) => isOf(ratio, column)));
  const rows = [...places].map(([place, ratios]) => [
    place,
    ...columns.map((column) => {
      const ratio = ratios.find((entry) => isOf(entry, column));
      return ratio ? `${formatSpread(ratio)}${verdictOn(ratio) === 'bad' ? ', worse' : ''}` : '';
    }),
  ]);
  return [
    ...markdownTable(['where', ...columns.map(({ subject, baseline }) => `${subject} to ${baseline}`)], rows),
    '',
    'All ratios of that run, TCP too, whose rounds agree on worse or whose median is within 3 % of 1.',
  ].join('\n');
}

function isOf(ratio: RatioResult, { subject, baseline }: (typeof COLUMNS)[number]): boolean {
  return ratio.subject === subject && ratio.baseline === baseline;
}
