/** What the scripts of our pages share. It runs in the page, before the script that uses it. */
import type { ColourScheme, DrawnChart, PageDocument, PageElement } from './dom.js';

declare const document: PageDocument;
declare function matchMedia(query: string): ColourScheme;
declare function getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };

/** A figure's interval, or the extremes of its rounds. */
export interface Span {
  readonly low: number;
  readonly high: number;
}

/** Drawn as a dot, hollow where the load generator was the limit. */
export interface Dot {
  readonly value: number;
  readonly limited: boolean;
}

/** A colour of the style sheet, as the scheme of now has it: style.ts names them after subjects. */
export function colourOf(name: string): string {
  return getComputedStyle(document.documentElement)
    .getPropertyValue(`--${name.replace(/[^a-zA-Z0-9-]/g, '-')}`)
    .trim();
}

/** What stands in a script element of data. */
export function embedded(id: string): unknown {
  return JSON.parse(document.getElementById(id)?.textContent ?? '[]');
}

/** Options that all plots have. */
export function plainOptions(): object {
  return { animation: false, font: { family: 'system-ui, sans-serif' }, maintainAspectRatio: false };
}

/** A set of a plot: its name, and for each of its points the text under the pointer; null: there is none. */
export interface CaptionedSet {
  readonly name: string;
  readonly points: readonly ({ readonly text: string } | null)[];
}

/** Chart.js's words of a chart, in the page's look: a title above it, a text under the pointer, no legend inside. */
export function captions(text: string, sets: readonly CaptionedSet[]): object {
  const label = ({ datasetIndex, dataIndex }: { datasetIndex: number; dataIndex: number }): string => {
    const set = sets[datasetIndex];
    return `${set?.name ?? ''}: ${set?.points[dataIndex]?.text ?? 'not known'}`;
  };
  return {
    legend: { display: false },
    title: { display: true, align: 'start', color: colourOf('text'), font: { size: 13, weight: '600' }, text },
    tooltip: { callbacks: { label } },
  };
}

const SHORT = { notation: 'compact', maximumSignificantDigits: 3 } as const;
const shortNumber = new Intl.NumberFormat('en', SHORT);

/** Few and short: `1.2K`. */
export function shortTicks(): object {
  return {
    color: colourOf('muted'),
    maxTicksLimit: 6,
    format: SHORT,
  };
}

/** Steps of a decade, from few to many: the finest of which no more than MOST_TICKS fit is taken. */
const LADDERS = [
  [1],
  [1, 3],
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9],
];
const MOST_TICKS = 7;

/** Of a logarithmic axis, beyond the outermost whisker. */
const MARGIN = 1.15;

/** An axis from 0 in which all spans lie. */
export function linearAxis(spans: readonly Span[]): object {
  const suggestedMax = Math.max(0, ...spans.map(({ high }) => high));
  const grid = { color: colourOf('grid') };
  return { grid, border: { display: false }, ticks: shortTicks(), beginAtZero: true, suggestedMax };
}

/**
 * A logarithmic axis in which all spans lie, with ticks at round values, and as many of them in a short span as in a long
 * one. The line at `mark` is drawn stronger.
 */
export function logarithmicAxis(spans: readonly (Span & { readonly value: number })[], mark?: number): object {
  const low = Math.min(...spans.map((span) => (span.low > 0 ? span.low : span.value))) / MARGIN;
  const high = Math.max(...spans.map((span) => span.high)) * MARGIN;
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high / low)) + 2 },
    (_, i) => 10 ** (Math.floor(Math.log10(low)) + i),
  );
  const ticksOf = (ladder: readonly number[]): number[] =>
    decades.flatMap((decade) => ladder.map((step) => decade * step)).filter((value) => value >= low && value <= high);
  const values = LADDERS.map(ticksOf).findLast(({ length }) => length <= MOST_TICKS) ?? ticksOf([1]);
  const [strong, weak] = [colourOf('muted'), colourOf('grid')];
  return {
    type: 'logarithmic',
    min: low,
    max: high,
    grid: { color: ({ tick }: { tick?: { value: number } }) => (tick && tick.value === mark ? strong : weak) },
    border: { display: false },
    // Each is shown: Chart.js would leave out the names of those that are no 1, 2, 3 or 5.
    ticks: { ...shortTicks(), autoSkip: false, callback: (value: number) => shortNumber.format(value) },
    afterBuildTicks: (axis: { ticks: readonly { readonly value: number }[] }) => {
      axis.ticks = values.map((value) => ({ value }));
    },
  };
}

/** A plugin that paints each point of each set, in the set's colour, at the place that Chart.js has found for it. */
function painter<T>(
  id: string,
  sets: readonly (readonly (T | null)[])[],
  colours: readonly string[],
  paint: (chart: DrawnChart, x: number, point: T, colour: string) => void,
): object {
  return {
    id,
    afterDatasetsDraw(chart: DrawnChart) {
      const { ctx } = chart;
      ctx.save();
      sets.forEach((set, index) => {
        const { data } = chart.getDatasetMeta(index);
        const colour = colours[index] ?? '';
        ctx.strokeStyle = colour;
        set.forEach((point, at) => {
          const x = data[at]?.x;
          if (point !== null && x !== undefined) paint(chart, x, point, colour);
        });
      });
      ctx.restore();
    },
  };
}

/** A span through each point of each set: a line, with a stroke of this half width at both ends. */
export function whiskers(
  sets: readonly (readonly (Span | null)[])[],
  colours: readonly string[],
  halfWidth: number,
): object {
  return painter('whiskers', sets, colours, ({ ctx, scales, chartArea }, x, span) => {
    if (span.low === span.high) return;
    // A span that leaves the plot ends at its edge.
    const [low = 0, high = 0] = [span.low, span.high].map((value) =>
      Math.min(chartArea.bottom, Math.max(chartArea.top, scales.y.getPixelForValue(value))),
    );
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, low);
    ctx.lineTo(x, high);
    for (const end of [low, high]) {
      ctx.moveTo(x - halfWidth, end);
      ctx.lineTo(x + halfWidth, end);
    }
    ctx.stroke();
  });
}

/** A dot where a bar would end. */
export function dots(sets: readonly (readonly (Dot | null)[])[], colours: readonly string[], radius: number): object {
  return painter('dots', sets, colours, ({ ctx, scales }, x, dot, colour) => {
    ctx.lineWidth = 1.5;
    ctx.fillStyle = dot.limited ? colourOf('raised') : colour;
    ctx.beginPath();
    ctx.arc(x, scales.y.getPixelForValue(dot.value), radius, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  });
}

/** Draws on every canvas, now and when the colour scheme changes; answers how to draw anew for another reason. */
export function drawOnAll(draw: (canvas: PageElement) => DrawnChart | undefined): () => void {
  let drawn: DrawnChart[] = [];
  const drawAll = (): void => {
    for (const chart of drawn) chart.destroy();
    drawn = [];
    for (const canvas of document.querySelectorAll('canvas')) {
      const chart = draw(canvas);
      if (chart) drawn.push(chart);
    }
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  drawAll();
  return drawAll;
}
