/** The script of the sweep's page: draws the curves, and again when the colour scheme changes. The heat maps need none. */
import type { ChartMaker, DrawnChart, PageElement } from '../../page/dom.js';
import { captions, colourOf, drawOnAll, embedded, plainOptions, whiskers } from '../../page/drawing.js';
import type { Curves } from './curves.js';

declare const Chart: ChartMaker;

const curves = embedded('curves') as Curves[];
/** Billions would be told as B, which looks like bytes. */
const GIGA = 1e9;

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
      ...plainOptions(),
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
      plugins: captions(
        title,
        lines.map(({ subject, points }) => ({ name: subject, points })),
      ),
    },
    plugins: [
      whiskers(
        lines.map(({ points }) => points.map((point) => point && { low: point.low / GIGA, high: point.high / GIGA })),
        lines.map(({ subject }) => colourOf(subject)),
        0,
      ),
    ],
  });
}

drawOnAll((canvas) => {
  const plot = curves.find(({ size }) => String(size) === canvas.dataset['size']);
  return plot && draw(canvas, plot);
});
