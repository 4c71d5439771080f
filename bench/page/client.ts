/** The script of the page: draws every chart, and draws again when the colour scheme or the view changes. */
import type { Bar, ChartData } from './charts.js';
import type { ChartMaker, DrawnChart, PageDocument, PageElement } from './dom.js';
import {
  baseline,
  captions,
  colourOf,
  dots,
  drawOnAll,
  embedded,
  logarithmicAxis,
  plainOptions,
  shortTicks,
  whiskers,
  type Dot,
} from './drawing.js';
import type { LineChart } from './lines.js';

declare const document: PageDocument;
declare const Chart: ChartMaker;

const WHISKER_HALF_WIDTH = 3;
const DOT_RADIUS = 4;
/** Of a logarithmic axis, beyond the outermost whisker. */
const MARGIN = 1.15;
const TENFOLD = 10;
/** Appended to a colour as its opacity. */
const PALE = '59';

const charts = embedded('charts') as ChartData[];
const lineCharts = embedded('lines') as LineChart[];
let view: 'values' | 'ratios' = 'values';

function barsOf(chart: ChartData): (readonly (Bar | null)[])[] {
  return chart.bars.map((bars) => bars[view]);
}

function textOf(bar: Bar | null): Pick<Bar, 'text'> | null {
  return bar?.limited === true ? { text: `${bar.text}, limited by the load generator` } : bar;
}

/** Figures that are tenfold apart share no axis from 0, and ratios of 1/2 and 2 are equally far from 1. */
function isLogarithmic(values: readonly number[]): boolean {
  if (values.some((value) => value <= 0)) return false;
  return view === 'ratios' || Math.max(...values) > TENFOLD * Math.min(...values);
}

/** The axis up and down: all whiskers lie within it. */
function axisOf(bars: readonly Bar[], logarithmic: boolean): object {
  const highest = Math.max(0, ...bars.map(({ high }) => high));
  if (logarithmic) {
    const lowest = Math.min(...bars.map(({ low, value }) => (low > 0 ? low : value)));
    return logarithmicAxis(lowest / MARGIN, highest * MARGIN);
  }
  const grid = { color: colourOf('grid') };
  return { grid, border: { display: false }, ticks: shortTicks(), beginAtZero: true, suggestedMax: highest };
}

function draw(canvas: PageElement, chart: ChartData): DrawnChart {
  const bars = barsOf(chart);
  const there = bars.flat().filter((bar) => bar !== null);
  const logarithmic = isLogarithmic(there.map(({ value }) => value));
  const dotted = logarithmic || view === 'ratios';
  const text = colourOf('muted');
  const colours = chart.bars.map(({ subject }) => colourOf(subject));
  const ratios = view === 'ratios';
  const title = ratios ? `${chart.measure}, ratios` : `${chart.measure}, ${chart.unit}`;
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels: chart.labels,
      datasets: chart.bars.map(({ subject }, index) => {
        const colour = colours[index] ?? '';
        return {
          label: subject,
          data: bars[index]?.map((bar) => bar?.value ?? null),
          backgroundColor: bars[index]?.map((bar) => (dotted ? 'transparent' : bar?.limited ? colour + PALE : colour)),
          borderColor: colour,
          borderWidth: bars[index]?.map((bar) => (!dotted && bar?.limited ? 1 : 0)),
          borderRadius: 2,
          maxBarThickness: 28,
        };
      }),
    },
    options: {
      ...plainOptions(),
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { grid: { display: false }, border: { color: colourOf('grid') }, ticks: { color: text } },
        y: axisOf(there, logarithmic),
      },
      plugins: captions(
        `${title} (${chart.better} is better)`,
        chart.bars.map(({ subject }, index) => ({ name: subject, points: (bars[index] ?? []).map(textOf) })),
      ),
    },
    plugins: [
      ...(ratios ? [baseline(1, text)] : []),
      whiskers(bars, dotted ? colours : colours.map(() => colourOf('text')), WHISKER_HALF_WIDTH),
      ...(dotted
        ? [
            dots(
              bars.map((set) => set.map(dotOf)),
              colours,
              DOT_RADIUS,
            ),
          ]
        : []),
    ],
  });
}

function dotOf(bar: Bar | null): Dot | null {
  return bar && { value: bar.value, hollow: bar.limited };
}

/** A line a subject; points apart stand beside it. */
function drawLines(canvas: PageElement, chart: LineChart): DrawnChart {
  const text = colourOf('muted');
  const scale = { grid: { color: colourOf('grid') }, border: { display: false } };
  const ticks = shortTicks();
  const sets = chart.lines.flatMap(({ subject, points }) => {
    const style = { label: subject, borderColor: colourOf(subject), pointRadius: 4, borderWidth: 2 };
    return [
      { ...style, data: points.filter(({ apart }) => !apart), backgroundColor: colourOf(subject), showLine: true },
      { ...style, data: points.filter(({ apart }) => apart), backgroundColor: colourOf('raised'), showLine: false },
    ];
  });
  const heights = chart.lines.flatMap(({ points }) => points.map(({ y }) => y));
  const { title, logarithmic } = chart.across;
  return new Chart(canvas, {
    type: 'scatter',
    data: { datasets: sets },
    options: {
      ...plainOptions(),
      scales: {
        x: {
          ...scale,
          type: logarithmic ? 'logarithmic' : 'linear',
          title: { display: true, text: title, color: text },
          // One decade a tick.
          ticks: { ...ticks, ...(logarithmic ? { maxTicksLimit: 5 } : {}) },
          ...(logarithmic ? {} : { min: 0, max: 100 }),
        },
        y: chart.logarithmic
          ? logarithmicAxis(Math.min(...heights) / MARGIN, Math.max(...heights) * MARGIN)
          : { ...scale, beginAtZero: true, ticks },
      },
      plugins: captions(
        `${chart.title}, ${chart.unit} (${chart.better} is better)`,
        sets.map(({ label, data }) => ({ name: label, points: data })),
      ),
    },
  });
}

const drawAll = drawOnAll((canvas) => {
  const { case: name, measure, lines: plotted } = canvas.dataset;
  const lines = lineCharts.find((entry) => entry.id === plotted);
  if (lines) return drawLines(canvas, lines);
  const chart = charts.find((entry) => entry.case === name && entry.measure === measure);
  return chart && draw(canvas, chart);
});

for (const input of document.querySelectorAll('input')) {
  input.addEventListener('change', () => {
    view = input.value === 'ratios' ? 'ratios' : 'values';
    drawAll();
  });
}
