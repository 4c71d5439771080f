/** The script of the page: draws every chart, and draws again when the colour scheme or the view changes. */
import type { Bar, ChartData } from './charts.js';
import type { ChartMaker, ColourScheme, DrawnChart, PageDocument, PageElement } from './dom.js';
import type { GrowthChart } from './lines.js';

declare const document: PageDocument;
declare const Chart: ChartMaker;
declare function matchMedia(query: string): ColourScheme;
declare function getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };

const WHISKER_HALF_WIDTH = 3;
/** Appended to a colour as its opacity. */
const PALE = '59';

const charts = JSON.parse(document.getElementById('charts')?.textContent ?? '[]') as ChartData[];
const growth = JSON.parse(document.getElementById('lines')?.textContent ?? '[]') as GrowthChart[];
let drawn: DrawnChart[] = [];
let view: 'values' | 'ratios' = 'values';

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement)
    .getPropertyValue(`--${name.replace(':', '-')}`)
    .trim();
}

/** Chart.js's title of a chart, in the page's look. */
function heading(text: string): object {
  return { display: true, align: 'start', color: colourOf('text'), font: { size: 13, weight: '600' }, text };
}

function barsOf(chart: ChartData): (readonly (Bar | null)[])[] {
  return chart.bars.map((bars) => bars[view]);
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
      animation: false,
      font: { family: 'system-ui, sans-serif' },
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { grid: { display: false }, border: { color: grid }, ticks: { color: text } },
        y: {
          beginAtZero: true,
          // Bars that end below the top of their whiskers would be cut off.
          suggestedMax: Math.max(0, ...bars.flat().map((bar) => bar?.high ?? 0)),
          grid: { color: grid },
          border: { display: false },
          ticks: { color: text, maxTicksLimit: 6, format: { notation: 'compact', maximumSignificantDigits: 3 } },
        },
      },
      plugins: {
        legend: { display: false },
        title: heading(`${title} (${chart.better} is better)`),
        tooltip: {
          callbacks: {
            label: ({ datasetIndex, dataIndex }: { datasetIndex: number; dataIndex: number }) => {
              const bar = bars[datasetIndex]?.[dataIndex];
              const name = chart.bars[datasetIndex]?.subject ?? '';
              return bar ? `${name}: ${bar.text}${bar.limited ? ', limited by the load generator' : ''}` : name;
            },
          },
        },
      },
    },
    plugins: [whiskers(bars, colourOf('text'), ratios ? text : undefined)],
  });
}

/** The extremes of the rounds over each bar, and the baseline's line where bars are ratios. */
function whiskers(bars: (readonly (Bar | null)[])[], colour: string, baseline: string | undefined): object {
  return {
    id: 'whiskers',
    afterDatasetsDraw(chart: DrawnChart) {
      const { ctx, scales, chartArea } = chart;
      const line = (fromX: number, fromY: number, toX: number, toY: number): void => {
        ctx.beginPath();
        ctx.moveTo(fromX, fromY);
        ctx.lineTo(toX, toY);
        ctx.stroke();
      };
      ctx.save();
      ctx.lineWidth = 1;
      ctx.strokeStyle = colour;
      bars.forEach((row, index) => {
        const { data } = chart.getDatasetMeta(index);
        row.forEach((bar, at) => {
          const x = data[at]?.x;
          if (!bar || bar.low === bar.high || x === undefined) return;
          const low = scales.y.getPixelForValue(bar.low);
          const high = scales.y.getPixelForValue(bar.high);
          line(x, low, x, high);
          line(x - WHISKER_HALF_WIDTH, low, x + WHISKER_HALF_WIDTH, low);
          line(x - WHISKER_HALF_WIDTH, high, x + WHISKER_HALF_WIDTH, high);
        });
      });
      if (baseline !== undefined) {
        const one = scales.y.getPixelForValue(1);
        ctx.strokeStyle = baseline;
        line(chartArea.left, one, chartArea.right, one);
      }
      ctx.restore();
    },
  };
}

/** A line a subject over the number of connections; the points with idle ones stand apart from it. */
function drawGrowth(canvas: PageElement, chart: GrowthChart): DrawnChart {
  const text = colourOf('muted');
  const scale = { grid: { color: colourOf('grid') }, border: { display: false } };
  const ticks = { color: text, maxTicksLimit: 6, format: { notation: 'compact', maximumSignificantDigits: 3 } };
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
      animation: false,
      font: { family: 'system-ui, sans-serif' },
      maintainAspectRatio: false,
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
      plugins: {
        legend: { display: false },
        title: heading(`${chart.title}, ${chart.unit} (${chart.better} is better)`),
        tooltip: {
          callbacks: {
            label: ({ datasetIndex, dataIndex }: { datasetIndex: number; dataIndex: number }) => {
              const set = sets[datasetIndex];
              return `${set?.label ?? ''}: ${set?.data[dataIndex]?.text ?? ''}`;
            },
          },
        },
      },
    },
  });
}

function drawAll(): void {
  for (const chart of drawn) chart.destroy();
  drawn = [];
  for (const canvas of document.querySelectorAll('canvas')) {
    const { case: name, measure, lines: plotted } = canvas.dataset;
    const lines = growth.find((entry) => entry.measure === plotted);
    if (lines) drawn.push(drawGrowth(canvas, lines));
    const chart = charts.find((entry) => entry.case === name && entry.measure === measure);
    if (chart) drawn.push(draw(canvas, chart));
  }
}

for (const input of document.querySelectorAll('input')) {
  input.addEventListener('change', () => {
    view = input.value === 'ratios' ? 'ratios' : 'values';
    drawAll();
  });
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
drawAll();
