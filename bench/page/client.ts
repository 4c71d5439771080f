/** The script of the page: draws every chart, and draws again when the colour scheme or the view changes. */
import type { Across, Cell, Chart as Plot, Span } from '../report/model.js';
import type { ChartMaker, DrawnChart, PageDocument, PageElement } from './dom.js';
import {
  captions,
  colourOf,
  dots,
  drawOnAll,
  embedded,
  linearAxis,
  logarithmicAxis,
  plainOptions,
  shortTicks,
  whiskers,
} from './drawing.js';

declare const document: PageDocument;
declare const Chart: ChartMaker;

const WHISKER_HALF_WIDTH = 3;
const DOT_RADIUS = 4;
const TENFOLD = 10;
/** Appended to a colour as its opacity. */
const PALE = '59';

interface Point extends Span {
  readonly text: string;
  readonly limited: boolean;
}

const plots = embedded('charts') as Plot[];
let view: 'values' | 'ratios' = 'values';

/** What is drawn of a cell in the view of now. */
function pointOf(cell: Cell | null, isBaseline: boolean): Point | null {
  if (!cell) return null;
  const { limited, ratio } = cell;
  const hint = limited ? ', limited by the load generator' : '';
  if (view === 'values') return { ...cell, text: cell.spread + hint };
  if (ratio) return { ...ratio, limited, text: `${ratio.spread} of ${ratio.baseline}${hint}` };
  return isBaseline ? { value: 1, low: 1, high: 1, limited, text: `the baseline${hint}` } : null;
}

/** Figures that are tenfold apart share no axis from 0. */
function areFarApart(spans: readonly Span[]): boolean {
  const values = spans.map(({ value }) => value);
  return values.every((value) => value > 0) && Math.max(...values) > TENFOLD * Math.min(...values);
}

function drawBars(canvas: PageElement, { title, unit, better, labels, sets }: Plot): DrawnChart {
  const baselines = new Set(sets.flatMap(({ cells }) => cells.map((cell) => cell?.ratio?.baseline)));
  const points = sets.map(({ subject, cells }) => cells.map((cell) => pointOf(cell, baselines.has(subject))));
  const there = points.flat().filter((point) => point !== null);
  // Ratios of 1/2 and 2 are equally far from 1.
  const logarithmic =
    view === 'ratios' ? there.length > 0 && there.every(({ value }) => value > 0) : areFarApart(there);
  const dotted = logarithmic || view === 'ratios';
  const colours = sets.map(({ subject }) => colourOf(subject));
  const what = view === 'ratios' ? `${title}, ratios` : `${title}, ${unit}`;
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels,
      datasets: sets.map(({ subject }, index) => {
        const colour = colours[index] ?? '';
        const own = points[index] ?? [];
        return {
          label: subject,
          data: own.map((point) => point?.value ?? null),
          backgroundColor: own.map((point) => (dotted ? 'transparent' : point?.limited ? colour + PALE : colour)),
          borderColor: colour,
          borderWidth: own.map((point) => (!dotted && point?.limited ? 1 : 0)),
          borderRadius: 2,
          maxBarThickness: 28,
        };
      }),
    },
    options: {
      ...plainOptions(),
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { grid: { display: false }, border: { color: colourOf('grid') }, ticks: { color: colourOf('muted') } },
        y: logarithmic ? logarithmicAxis(there, view === 'ratios' ? 1 : undefined) : linearAxis(there),
      },
      plugins: captions(
        `${what} (${better} is better)`,
        sets.map(({ subject }, index) => ({ name: subject, points: points[index] ?? [] })),
      ),
    },
    plugins: [
      whiskers(points, dotted ? colours : colours.map(() => colourOf('text')), WHISKER_HALF_WIDTH),
      ...(dotted ? [dots(points, colours, DOT_RADIUS)] : []),
    ],
  });
}

/** A line a subject, of measured values in either view; points apart stand beside it. */
function drawLines(canvas: PageElement, { title, unit, better, labels, sets }: Plot, across: Across): DrawnChart {
  const there = sets.flatMap(({ cells }) => cells.filter((cell) => cell !== null));
  const datasets = sets.flatMap(({ subject, cells }) =>
    [false, true].map((apart) => ({
      ...{ label: subject, borderColor: colourOf(subject), pointRadius: 4, borderWidth: 2, showLine: !apart },
      backgroundColor: colourOf(apart ? 'raised' : subject),
      data: cells.flatMap((cell, index) => {
        const point = across.points[index];
        if (!cell || point?.apart !== apart) return [];
        const ratio = cell.ratio ? `, ${cell.ratio.text} of ${cell.ratio.baseline}` : '';
        return [{ x: point.at, y: cell.value, text: `${cell.text}, ${labels[index] ?? ''}${ratio}` }];
      }),
    })),
  );
  const text = colourOf('muted');
  return new Chart(canvas, {
    type: 'scatter',
    data: { datasets },
    options: {
      ...plainOptions(),
      scales: {
        x: {
          grid: { color: colourOf('grid') },
          border: { display: false },
          title: { display: true, text: across.title, color: text },
          // One decade a tick.
          ...(across.logarithmic
            ? { type: 'logarithmic', ticks: { ...shortTicks(), maxTicksLimit: 5 } }
            : { min: 0, max: 100, ticks: shortTicks() }),
        },
        y: areFarApart(there) ? logarithmicAxis(there) : linearAxis(there),
      },
      plugins: captions(
        `${title}, ${unit} (${better} is better)`,
        datasets.map(({ label, data }) => ({ name: label, points: data })),
      ),
    },
  });
}

const drawAll = drawOnAll((canvas) => {
  const plot = plots.find(({ id }) => id === canvas.dataset['chart']);
  if (!plot) return undefined;
  return plot.across ? drawLines(canvas, plot, plot.across) : drawBars(canvas, plot);
});

for (const input of document.querySelectorAll('input')) {
  input.addEventListener('change', () => {
    view = input.value === 'ratios' ? 'ratios' : 'values';
    drawAll();
  });
}
