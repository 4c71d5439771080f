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

/** A logarithmic axis over these values, with ticks at round ones, and as many of them in a short span as in a long one. */
export function logarithmicAxis(low: number, high: number): object {
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high / low)) + 2 },
    (_, i) => 10 ** (Math.floor(Math.log10(low)) + i),
  );
  const ticksOf = (ladder: readonly number[]): number[] =>
    decades.flatMap((decade) => ladder.map((step) => decade * step)).filter((value) => value >= low && value <= high);
  const values = LADDERS.map(ticksOf).findLast(({ length }) => length <= MOST_TICKS) ?? ticksOf([1]);
  return {
    type: 'logarithmic',
    min: low,
    max: high,
    grid: { color: colourOf('grid') },
    border: { display: false },
    // Each is shown: Chart.js would leave out the names of those that are no 1, 2, 3 or 5.
    ticks: { ...shortTicks(), autoSkip: false, callback: (value: number) => shortNumber.format(value) },
    afterBuildTicks: (axis: { ticks: readonly { readonly value: number }[] }) => {
      axis.ticks = values.map((value) => ({ value }));
    },
  };
}

/** A span through each point of each set: a line, with a stroke of this half width at both ends. */
export function whiskers(
  sets: readonly (readonly (Span | null)[])[],
  colours: readonly string[],
  halfWidth: number,
): object {
  return {
    id: 'whiskers',
    afterDatasetsDraw(chart: DrawnChart) {
      const { ctx, scales, chartArea } = chart;
      // A span that leaves the plot ends at its edge.
      const yOf = (value: number): number =>
        Math.min(chartArea.bottom, Math.max(chartArea.top, scales.y.getPixelForValue(value)));
      ctx.save();
      ctx.lineWidth = 1;
      sets.forEach((spans, index) => {
        const { data } = chart.getDatasetMeta(index);
        ctx.strokeStyle = colours[index] ?? '';
        spans.forEach((span, at) => {
          const x = data[at]?.x;
          if (!span || span.low === span.high || x === undefined) return;
          const low = yOf(span.low);
          const high = yOf(span.high);
          stroke(chart, x, low, x, high);
          stroke(chart, x - halfWidth, low, x + halfWidth, low);
          stroke(chart, x - halfWidth, high, x + halfWidth, high);
        });
      });
      ctx.restore();
    },
  };
}

/** What a dot of a plot is drawn of; null: there is none. */
export interface Dot {
  readonly value: number;
  /** Filled with the page instead of its colour. */
  readonly hollow: boolean;
}

/** A dot where a bar would end. */
export function dots(sets: readonly (readonly (Dot | null)[])[], colours: readonly string[], radius: number): object {
  return {
    id: 'dots',
    afterDatasetsDraw(chart: DrawnChart) {
      const { ctx, scales } = chart;
      ctx.save();
      ctx.lineWidth = 1.5;
      sets.forEach((set, index) => {
        const { data } = chart.getDatasetMeta(index);
        ctx.strokeStyle = colours[index] ?? '';
        set.forEach((dot, at) => {
          const x = data[at]?.x;
          if (!dot || x === undefined) return;
          ctx.fillStyle = dot.hollow ? colourOf('raised') : (colours[index] ?? '');
          ctx.beginPath();
          ctx.arc(x, scales.y.getPixelForValue(dot.value), radius, 0, 2 * Math.PI);
          ctx.fill();
          ctx.stroke();
        });
      });
      ctx.restore();
    },
  };
}

/** A line across the plot at a value. */
export function baseline(value: number, colour: string): object {
  return {
    id: 'baseline',
    afterDatasetsDraw(chart: DrawnChart) {
      const { ctx, scales, chartArea } = chart;
      const at = scales.y.getPixelForValue(value);
      ctx.save();
      ctx.lineWidth = 1;
      ctx.strokeStyle = colour;
      stroke(chart, chartArea.left, at, chartArea.right, at);
      ctx.restore();
    },
  };
}

function stroke({ ctx }: DrawnChart, fromX: number, fromY: number, toX: number, toY: number): void {
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
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
