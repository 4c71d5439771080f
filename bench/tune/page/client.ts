/** The script of the sweep's page: draws the curves, and again when the colour scheme changes. The heat maps need none. */
import type { ChartMaker, ColourScheme, DrawnChart, PageDocument, PageElement } from '../../page/dom.js';
import type { CurvePoint, Curves } from './curves.js';

declare const document: PageDocument;
declare const Chart: ChartMaker;
declare function matchMedia(query: string): ColourScheme;
declare function getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };

const curves = JSON.parse(document.getElementById('curves')?.textContent ?? '[]') as Curves[];
/** Billions would be told as B, which looks like bytes. */
const GIGA = 1e9;
let drawn: DrawnChart[] = [];

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function draw(canvas: PageElement, { title, labels, lines }: Curves): DrawnChart {
  const text = colourOf('muted');
  const grid = colourOf('grid');
  const highs = lines.flatMap(({ points }) => points.map((point) => (point?.high ?? 0) / GIGA));
  return new Chart(canvas, {
    type: 'line',
    data: {
      labels,
      datasets: lines.map(({ subject, points }) => ({
        label: subject,
        data: points.map((point) => (point ? point.value / GIGA : null)),
        borderColor: colourOf(subject),
        backgroundColor: colourOf(subject),
        borderWidth: 2,
        pointRadius: 3,
      })),
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
          suggestedMax: Math.max(0, ...highs),
          grid: { color: grid },
          border: { display: false },
          title: { display: true, text: 'GB/s', color: text },
          ticks: { color: text, maxTicksLimit: 6 },
        },
      },
      plugins: {
        legend: { display: false },
        title: {
          display: true,
          align: 'start',
          color: colourOf('text'),
          font: { size: 13, weight: '600' },
          text: title,
        },
        tooltip: {
          callbacks: {
            label: ({ datasetIndex, dataIndex }: { datasetIndex: number; dataIndex: number }) => {
              const line = lines[datasetIndex];
              return `${line?.subject ?? ''}: ${line?.points[dataIndex]?.text ?? ''}`;
            },
          },
        },
      },
    },
    plugins: [spreads(lines.map(({ points, subject }) => ({ points, colour: colourOf(subject) })))],
  });
}

/** The extremes of the rounds through each point. */
function spreads(lines: readonly { points: readonly (CurvePoint | null)[]; colour: string }[]): object {
  return {
    id: 'spreads',
    afterDatasetsDraw(chart: DrawnChart) {
      const { ctx, scales } = chart;
      ctx.save();
      ctx.lineWidth = 1;
      lines.forEach(({ points, colour }, index) => {
        const { data } = chart.getDatasetMeta(index);
        ctx.strokeStyle = colour;
        points.forEach((point, at) => {
          const x = data[at]?.x;
          if (!point || x === undefined) return;
          ctx.beginPath();
          ctx.moveTo(x, scales.y.getPixelForValue(point.low / GIGA));
          ctx.lineTo(x, scales.y.getPixelForValue(point.high / GIGA));
          ctx.stroke();
        });
      });
      ctx.restore();
    },
  };
}

function drawAll(): void {
  for (const chart of drawn) chart.destroy();
  drawn = [];
  for (const canvas of document.querySelectorAll('canvas')) {
    const plot = curves.find(({ size }) => String(size) === canvas.dataset['size']);
    if (plot) drawn.push(draw(canvas, plot));
  }
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
drawAll();
