/**
 * The README's picture: the server's CPU time for each row of the first page, as a ratio to node:net with the range of
 * its rounds.
 */
import { formatRatio, formatSpread } from '../format.js';
import { FIRST_ROWS, ratioOf } from './first-page.js';
import { nodeOf, type Excerpt } from './figures.js';
import { element, renderSvg, WIDTH } from './svg.js';

const LEFT = 12;
/** The figures are to the right of the bars. */
const PLOT = WIDTH - LEFT - 72;
const BAR = 14;
const LABEL = 22;
const GAP = 12;
const TOP = 78;
/** The end of the axis: longer bars are cut, and their figure has the value. */
const MOST = 1.4;

function at(ratio: number): number {
  return LEFT + (PLOT * Math.min(ratio, MOST)) / MOST;
}

function nameOf(excerpt: Excerpt, among: readonly Excerpt[]): string {
  return nodeOf(excerpt, among) || `Node ${excerpt.versions.node}`;
}

function grid(height: number): string[] {
  return [0, 0.25, 0.5, 0.75, 1, 1.25].flatMap((ratio) => [
    element('line', {
      ...{ class: ratio === 1 ? 'one' : 'grid', x1: at(ratio), x2: at(ratio) },
      ...{ y1: TOP - 10, y2: height - 4 },
    }),
    element('text', { class: 'small', x: at(ratio), y: TOP - 16, 'text-anchor': 'middle' }, `${String(ratio)}x`),
  ]);
}

function bars(excerpts: readonly Excerpt[], rowHeight: number): string[] {
  return FIRST_ROWS.flatMap((row, i) => {
    const top = TOP + i * rowHeight;
    const each = excerpts.flatMap((excerpt, j) => {
      const ratio = ratioOf(excerpt, row);
      if (ratio === undefined) return [];
      const y = top + LABEL + j * (BAR + 4);
      const middle = y + BAR / 2;
      const bar = { class: `bar${String(j)}`, x: LEFT, y, width: at(ratio.median) - LEFT, height: BAR };
      return [
        element('rect', bar),
        element('line', { class: 'range', x1: at(ratio.low), x2: at(ratio.high), y1: middle, y2: middle }),
        element('text', { class: 'value', x: WIDTH - 64, y: y + BAR - 2 }, formatRatio(ratio.median)),
      ];
    });
    return [element('text', { x: LEFT + 4, y: top + LABEL - 6 }, row.title), ...each];
  });
}

function describe(excerpts: readonly Excerpt[]): string {
  const rows = FIRST_ROWS.map((row) => {
    const each = excerpts.flatMap((excerpt) => {
      const ratio = ratioOf(excerpt, row);
      return ratio === undefined ? [] : [`${nameOf(excerpt, excerpts)} ${formatSpread(ratio)}`];
    });
    return `${row.title}: ${each.join(', ')}.`;
  });
  return ['A ratio below 1 is less CPU. In brackets and as lines: the rounds.', ...rows].join(' ');
}

/** An SVG image, for light and dark pages. */
export function renderPicture(excerpts: readonly Excerpt[]): string {
  const rowHeight = LABEL + excerpts.length * (BAR + 4) + GAP;
  const height = TOP + FIRST_ROWS.length * rowHeight;
  const legend = excerpts.flatMap((excerpt, j) => {
    const x = LEFT + j * 130;
    return [
      element('rect', { class: `bar${String(j)}`, x, y: 30, width: BAR, height: BAR }),
      element('text', { x: x + 20, y: 42 }, nameOf(excerpt, excerpts)),
    ];
  });
  return renderSvg({
    title: 'Server CPU, nearwire as a ratio to node:net',
    description: describe(excerpts),
    height,
    body: [...legend, ...grid(height), ...bars(excerpts, rowHeight)],
  });
}
