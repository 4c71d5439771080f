/** The script of the page: draws every chart, and draws again when the colour scheme or the view changes. */
import type { Bar, ChartData } from './charts.js';
import type { ChartMaker, DrawnChart, PageDocument, PageElement } from './dom.js';
import { baseline, captions, colourOf, drawOnAll, embedded, plainOptions, shortTicks, whiskers } from './drawing.js';
import type { GrowthChart } from './lines.js';

declare const document: PageDocument;
declare const Chart: ChartMaker;

const WHISKER_HALF_WIDTH = 3;
/** Appended to a colour as its opacity. */
const PALE = '59';

const charts = embedded('charts') as ChartData[];
const growth = embedded('lines') as GrowthChart[];
let view: 'values' | 'ratios' = 'values';

function barsOf(chart: ChartData): (readonly (Bar | null)[])[] {
  return chart.bars.map((bars) => bars[view]);
}

function textOf(bar: Bar | null): Pick<Bar, 'text'> | null {
  return bar?.limited === true ? { text: `${bar.text}, limited by the load generator` } : bar;
}

function draw(canvas: PageElement, chart: ChartData): DrawnChart {
  const bars = barsOf(chart);
  const text = colourOf('muted');
  const grid = colourOf('grid');
  const ratios = view === 'ratios';
  const title = ratios ? `${chart.measure} against node:net` : `${chart.measure}, ${chart.unit}`;
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels: chart.labels,
      datasets: chart.bars.map(({ subject }, index) => {
        const colour = colourOf(subject);
        return {
          label: subject,
          data: bars[index]?.map((bar) => bar?.value ?? null),
          backgroundColor: bars[index]?.map((bar) => (bar?.limited ? colour + PALE : colour)),
          borderColor: colour,
          borderWidth: bars[index]?.map((bar) => (bar?.limited ? 1 : 0)),
          borderRadius: 2,
          maxBarThickness: 28,
        };
      }),
    },
    options: {
      ...plainOptions(),
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { grid: { display: false }, border: { color: grid }, ticks: { color: text } },
        y: {
          beginAtZero: true,
          // Bars that end below the top of their whiskers would be cut off.
          suggestedMax: Math.max(0, ...bars.flat().map((bar) => bar?.high ?? 0)),
          grid: { color: grid },
          border: { display: false },
          ticks: shortTicks(),
        },
      },
      plugins: captions(
        `${title} (${chart.better} is better)`,
        chart.bars.map(({ subject }, index) => ({ name: subject, points: (bars[index] ?? []).map(textOf) })),
      ),
    },
    plugins: [
      whiskers(
        bars,
        bars.map(() => colourOf('text')),
        WHISKER_HALF_WIDTH,
      ),
      ...(ratios ? [baseline(1, text)] : []),
    ],
  });
}

/** A line a subject over the number of connections; the points with idle ones stand apart from it. */
function drawGrowth(canvas: PageElement, chart: GrowthChart): DrawnChart {
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
  return new Chart(canvas, {
    type: 'scatter',
    data: { datasets: sets },
    options: {
      ...plainOptions(),
      scales: {
        x: {
          ...scale,
          type: 'logarithmic',
          title: { display: true, text: 'connections, idle ones included', color: text },
          // One decade a tick.
          ticks: { ...ticks, maxTicksLimit: 5 },
        },
        y: chart.logarithmic ? { ...scale, type: 'logarithmic', ticks } : { ...scale, beginAtZero: true, ticks },
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
  const lines = growth.find((entry) => entry.measure === plotted);
  if (lines) return drawGrowth(canvas, lines);
  const chart = charts.find((entry) => entry.case === name && entry.measure === measure);
  return chart && draw(canvas, chart);
});

for (const input of document.querySelectorAll('input')) {
  input.addEventListener('change', () => {
    view = input.value === 'ratios' ? 'ratios' : 'values';
    drawAll();
  });
}
