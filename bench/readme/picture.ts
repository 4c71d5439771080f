/** The README's picture: CPU of the server for each row of the first page, as a ratio to node:net with the range of its rounds. */
import { formatRatio } from '../format.js';
import { FIRST_ROWS, ratioOf } from './first-page.js';
import { nodeOf, type Excerpt } from './figures.js';

const WIDTH = 760;
const LABELS = 350;
const PLOT = WIDTH - LABELS - 70;
const BAR = 12;
const ROW = 46;
const TOP = 52;
/** The axis ends here: what is dearer is cut, and its figure says how much. */
const MOST = 1.4;

const STYLE = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e }
.grid { stroke: #d1d9e0 }
.one { stroke: #59636e; stroke-dasharray: 3 3 }
.bar0 { fill: #2f6fdf } .bar1 { fill: #14937c }
.range { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .grid { stroke: #3d444d } .one { stroke: #9198a1 }
.bar0 { fill: #4f8ff7 } .bar1 { fill: #2fb59a } .range { stroke: #f0f6fc }
}
</style>`;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('`', '');
}

function at(ratio: number): string {
  return (LABELS + (PLOT * Math.min(ratio, MOST)) / MOST).toFixed(1);
}

function grid(height: number): string[] {
  return [0, 0.25, 0.5, 0.75, 1, 1.25].flatMap((ratio) => [
    `<line class="${ratio === 1 ? 'one' : 'grid'}" x1="${at(ratio)}" x2="${at(ratio)}" y1="${String(TOP - 8)}" y2="${String(height - 8)}"/>`,
    `<text class="small" x="${at(ratio)}" y="${String(TOP - 14)}" text-anchor="middle">${String(ratio)}x</text>`,
  ]);
}

function bars(excerpts: readonly Excerpt[]): string[] {
  return FIRST_ROWS.flatMap((row, i) => {
    const top = TOP + i * ROW;
    const label = `<text x="${String(LABELS - 12)}" y="${String(top + BAR + 5)}" text-anchor="end">${escape(row.title)}</text>`;
    const each = excerpts.flatMap((excerpt, j) => {
      const ratio = ratioOf(excerpt, row);
      if (ratio === undefined) return [];
      const y = top + j * (BAR + 4);
      const middle = (y + BAR / 2).toFixed(1);
      return [
        `<rect class="bar${String(j)}" x="${at(0)}" y="${String(y)}" width="${(Number(at(ratio.median)) - LABELS).toFixed(1)}" height="${String(BAR)}"/>`,
        `<line class="range" x1="${at(ratio.low)}" x2="${at(ratio.high)}" y1="${middle}" y2="${middle}"/>`,
        `<text class="small" x="${String(WIDTH - 62)}" y="${String(y + BAR - 2)}">${formatRatio(ratio.median)}</text>`,
      ];
    });
    return [label, ...each];
  });
}

/** An SVG image, for light and dark pages. */
export function renderPicture(excerpts: readonly Excerpt[]): string {
  const height = TOP + FIRST_ROWS.length * ROW;
  const legend = excerpts.map((excerpt, j) => {
    const x = LABELS + j * 110;
    const name = nodeOf(excerpt, excerpts) || `Node ${excerpt.versions.node}`;
    return `<rect class="bar${String(j)}" x="${String(x)}" y="6" width="${String(BAR)}" height="${String(BAR)}"/><text x="${String(x + 18)}" y="17">${name}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(height)}" role="img" aria-label="Server CPU of nearwire as a ratio to node:net">`,
    STYLE,
    `<text x="0" y="17">Server CPU, nearwire to node:net</text>`,
    ...legend,
    ...grid(height),
    ...bars(excerpts),
    '</svg>',
    '',
  ].join('\n');
}
