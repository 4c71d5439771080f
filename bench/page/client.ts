/** The script of the page: draws every chart, and again when the colour scheme or the view changes. */
import type { Cell, Chart as Plot, Span } from '../report/model.js';

/**
 * The part of the browser's API that is used here. The script is compiled together with code for Node, where the DOM's
 * own types would make `document` compile everywhere.
 */
interface PageElement {
  readonly dataset: Readonly<Record<string, string | undefined>>;
  readonly textContent: string;
  readonly value: string;
  addEventListener(type: 'change', listener: () => void): void;
}
declare const document: {
  readonly documentElement: PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
};
declare function matchMedia(query: string): PageElement;
declare function getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };
declare const Chart: new (canvas: PageElement, configuration: object) => { destroy(): void };

/** The share of a category's width that its marks occupy. */
const GROUP_SHARE = 0.8;
const TENFOLD = 10;
const SHORT = { notation: 'compact', maximumSignificantDigits: 3 } as const;
const shortNumber = new Intl.NumberFormat('en', SHORT);
/** The margin of a logarithmic axis beyond the outermost mark. */
const MARGIN = 1.15;
/** Steps of a decade, from few to many: the finest ladder with at most MOST_TICKS ticks is used. */
const LADDERS = [
  [1],
  [1, 3],
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9],
];
const MOST_TICKS = 7;
const DECADES = Array.from({ length: 24 }, (_, at) => 10 ** (at - 9));

interface Point extends Span {
  readonly text: string;
  readonly limited: boolean;
}

interface Drawn {
  readonly type: 'bar' | 'scatter';
  readonly datasets: readonly object[];
  readonly x: object;
  readonly y: object;
}

let view = 'values';

/** A colour of the style sheet in the current scheme: style.ts names them after subjects. */
function colourOf(name: string): string {
  const property = `--${name.replace(/[^a-zA-Z0-9-]/g, '-')}`;
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}

/** The mark of a cell in the current view. */
function pointOf(cell: Cell | null, isBaseline: boolean): Point | null {
  if (!cell) return null;
  const { limited, ratio } = cell;
  const hint = limited ? ', limited by the load generator' : '';
  if (view === 'values') return { ...cell, text: cell.spread + hint };
  if (ratio) return { ...ratio, limited, text: `${ratio.spread} of ${ratio.baseline}${hint}` };
  return isBaseline ? { value: 1, low: 1, high: 1, limited, text: `the baseline${hint}` } : null;
}

/** Values that differ tenfold do not share a linear axis. */
function areFarApart(spans: readonly Span[]): boolean {
  const values = spans.map(({ value }) => value);
  return values.every((value) => value > 0) && Math.max(...values) > TENFOLD * Math.min(...values);
}

function plainAxis(): object {
  const ticks = { color: colourOf('muted'), maxTicksLimit: MOST_TICKS, format: SHORT };
  return { grid: { color: colourOf('grid') }, border: { display: false }, ticks, beginAtZero: true };
}

/**
 * An axis that covers all spans, with as many ticks for a short span as for a long one, where Chart.js would have few
 * or none. The line at `mark` is emphasized.
 */
function logarithmicAxis(spans: readonly Span[], mark?: number): object {
  const min = Math.min(...spans.map(({ low, value }) => (low > 0 ? low : value))) / MARGIN;
  const max = Math.max(...spans.map(({ high }) => high)) * MARGIN;
  const scales = LADDERS.map((ladder) =>
    DECADES.flatMap((decade) => ladder.map((step) => decade * step)).filter((value) => value >= min && value <= max),
  );
  const ticks = scales.findLast(({ length }) => length <= MOST_TICKS) ?? [];
  const [strong, weak] = [colourOf('muted'), colourOf('grid')];
  return {
    ...{ ...plainAxis(), type: 'logarithmic', min, max },
    grid: { color: ({ tick }: { tick?: { value: number } }) => (tick && tick.value === mark ? strong : weak) },
    ticks: { color: strong, autoSkip: false, callback: (value: number) => shortNumber.format(value) },
    afterBuildTicks: (axis: { ticks: object[] }) => {
      axis.ticks = ticks.map((value) => ({ value }));
    },
  };
}

/**
 * Bars from 0, or dots if bars would have no defined length; and through each a line from the lowest to the highest
 * round.
 */
function marksOf({ sets }: Plot): Drawn {
  const baselines = new Set(sets.flatMap(({ cells }) => cells.map((cell) => cell?.ratio?.baseline)));
  const points = sets.map(({ subject, cells }) => cells.map((cell) => pointOf(cell, baselines.has(subject))));
  const areRatios = view === 'ratios';
  const there = points.flat().filter((point) => point !== null);
  // Ratios of 1/2 and 2 are equally far from 1.
  const logarithmic = areRatios ? there.length > 0 && there.every(({ value }) => value > 0) : areFarApart(there);
  const dotted = logarithmic || areRatios;
  const mark = dotted
    ? { type: 'scatter', pointRadius: 4, clip: false }
    : { maxBarThickness: 28, borderRadius: 2, categoryPercentage: GROUP_SHARE };
  const datasets = sets.flatMap(({ subject }, index) => {
    const own = points[index] ?? [];
    const xOf = (at: number): number => at + ((index - (sets.length - 1) / 2) * GROUP_SHARE) / sets.length;
    const borderColor = colourOf(subject);
    const whiskers = own.flatMap((point, at) =>
      point ? [point.low, point.high, NaN].map((y) => ({ x: xOf(at), y })) : [],
    );
    return [
      {
        ...{ type: 'scatter', showLine: true, parsing: false, data: whiskers, pointStyle: false, borderWidth: 1 },
        // Drawn behind a dot, but in front of a bar.
        ...(dotted ? { order: 1, borderColor } : { order: -1, borderColor: colourOf('text') }),
      },
      {
        ...{ ...mark, label: subject, parsing: false, borderColor },
        data: own.map((point, at) => ({ x: dotted ? xOf(at) : at, y: point?.value ?? NaN, text: point?.text })),
        backgroundColor: own.map((point) => (point?.limited ? colourOf('raised') : borderColor)),
        borderWidth: own.map((point) => (point?.limited || dotted ? 1.5 : 0)),
      },
    ];
  });
  const border = { color: colourOf('grid') };
  const x = { type: 'category', offset: true, grid: { display: false }, border, ticks: { color: colourOf('muted') } };
  return { type: 'bar', datasets, x, y: logarithmic ? logarithmicAxis(there, areRatios ? 1 : undefined) : plainAxis() };
}

/** One line per subject, of measured values in either view; separate points are next to it, hollow. */
function linesOf({ points, sets }: Plot, { title, logarithmic }: NonNullable<Plot['across']>): Drawn {
  const there = sets.flatMap(({ cells }) => cells.filter((cell) => cell !== null));
  const datasets = sets.flatMap(({ subject, cells }) =>
    [false, true].map((apart) => ({
      ...{ label: subject, borderColor: colourOf(subject), pointRadius: 4, borderWidth: 2, showLine: !apart },
      backgroundColor: colourOf(apart ? 'raised' : subject),
      data: cells.flatMap((cell, index) => {
        const point = points[index];
        if (!cell || point?.apart !== apart) return [];
        const ratio = cell.ratio ? `, ${cell.ratio.text} of ${cell.ratio.baseline}` : '';
        return [{ x: point.at, y: cell.value, text: `${cell.text}, ${point.label}${ratio}` }];
      }),
    })),
  );
  const x = {
    ...{ ...plainAxis(), title: { display: true, text: title, color: colourOf('muted') } },
    ...(logarithmic ? { type: 'logarithmic', beginAtZero: false } : { max: 100 }),
  };
  return { type: 'scatter', datasets, x, y: areFarApart(there) ? logarithmicAxis(there) : plainAxis() };
}

/** The item under the pointer: a mark has a text, a whisker has none. */
interface Hovered {
  readonly dataset: { readonly label: string };
  readonly raw: { readonly text?: string };
}

function draw(canvas: PageElement, plot: Plot): { destroy(): void } {
  const { type, datasets, x, y } = plot.across ? linesOf(plot, plot.across) : marksOf(plot);
  const unit = view === 'ratios' && !plot.across ? 'ratios' : plot.unit;
  const text = `${plot.title}, ${unit} (${plot.better} is better)`;
  return new Chart(canvas, {
    type,
    data: { labels: plot.points.map(({ label }) => label), datasets },
    options: {
      ...{ animation: false, font: { family: 'system-ui, sans-serif' }, maintainAspectRatio: false },
      ...(plot.across ? {} : { interaction: { mode: 'index', intersect: false } }),
      scales: { x, y },
      plugins: {
        legend: { display: false },
        title: { display: true, align: 'start', color: colourOf('text'), font: { size: 13, weight: '600' }, text },
        tooltip: {
          filter: ({ raw }: Hovered) => raw.text !== undefined,
          callbacks: { label: ({ dataset, raw }: Hovered) => `${dataset.label}: ${raw.text ?? ''}` },
        },
      },
    },
  });
}

const [data] = document.querySelectorAll('#charts');
const plots = JSON.parse(data?.textContent ?? '[]') as Plot[];
let drawn: { destroy(): void }[] = [];

function drawAll(): void {
  for (const chart of drawn) chart.destroy();
  drawn = [...document.querySelectorAll('canvas')].flatMap((canvas) => {
    const plot = plots.find(({ id }) => id === canvas.dataset['chart']);
    return plot ? [draw(canvas, plot)] : [];
  });
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
for (const input of document.querySelectorAll('input')) {
  input.addEventListener('change', () => {
    view = input.value;
    drawAll();
  });
}
drawAll();
