/** The script of the page: draws every plot, and again when the colour scheme or the work changes. */
import type { ChartMaker, DrawnChart, PageDocument, PageElement } from '../../page/dom.js';
import {
  baseline,
  captions,
  colourOf,
  drawOnAll,
  embedded,
  plainOptions,
  shortTicks,
  whiskers,
} from '../../page/drawing.js';
import type { CurvePlot, CurvePlotLine, LayerPlot, PairPlot, Plot } from './plots.js';

declare const document: PageDocument;
declare const Chart: ChartMaker;

const WHISKER_HALF_WIDTH = 3;
const POINT_RADIUS = 4;
const BROKEN_RADIUS = 6;
const MS = 1e3;
const SECOND = 1e6;
/** How far whiskers may reach above the highest bar, as a multiple of it. */
const MOST_ABOVE = 2;

const plots = embedded('plots') as Plot[];
let chosen = '';
for (const input of document.querySelectorAll('input')) if (input.checked) chosen = input.value;

function valueScale(): object {
  return { grid: { color: colourOf('grid') }, border: { display: false }, ticks: shortTicks() };
}

/** Of microseconds over several powers of ten, each in its unit: `100K us` is a puzzle. */
function timeTicks(): object {
  const text = (us: number): string =>
    us >= SECOND ? `${String(us / SECOND)} s` : us >= MS ? `${String(us / MS)} ms` : `${String(us)} us`;
  // Between the powers lines alone: names would lie on each other.
  return { color: colourOf('muted'), callback: (us: number) => (Number.isInteger(Math.log10(us)) ? text(us) : '') };
}

function nameScale(): object {
  const ticks = { color: colourOf('muted'), autoSkip: false };
  return { grid: { display: false }, border: { color: colourOf('grid') }, ticks };
}

function drawLayers(canvas: PageElement, { title, works }: LayerPlot): DrawnChart | undefined {
  const shown = works.find(({ work }) => work === chosen);
  if (!shown) return undefined;
  const { labels, layers } = shown;
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels,
      datasets: layers.map(({ layer, title: name, bars }) => ({
        label: name,
        // A share below nothing is noise, and would shift the others.
        data: bars.map((bar) => bar && Math.max(0, bar.value)),
        backgroundColor: colourOf(layer),
        maxBarThickness: 22,
      })),
    },
    options: {
      ...plainOptions(),
      indexAxis: 'y',
      interaction: { mode: 'index', axis: 'y', intersect: false },
      scales: { x: { ...valueScale(), stacked: true }, y: { ...nameScale(), stacked: true } },
      plugins: captions(
        title,
        layers.map(({ title: name, bars }) => ({ name, points: bars })),
      ),
    },
  });
}

function drawPair(canvas: PageElement, { title, labels, sets }: PairPlot): DrawnChart {
  const all = sets.flatMap(({ bars }) => bars.filter((bar) => bar !== null));
  // An interval that is many times its figure would leave no room for the figures.
  const highest = MOST_ABOVE * Math.max(0, ...all.map(({ value }) => value));
  const highs = all.map(({ high }) => Math.min(high, highest));
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels,
      datasets: sets.map(({ name, colour, bars }) => ({
        label: name,
        data: bars.map((bar) => bar?.value ?? null),
        backgroundColor: colourOf(colour),
        borderRadius: 2,
        maxBarThickness: 28,
      })),
    },
    options: {
      ...plainOptions(),
      interaction: { mode: 'index', intersect: false },
      scales: { x: nameScale(), y: { ...valueScale(), beginAtZero: true, suggestedMax: Math.max(1.2, ...highs) } },
      plugins: captions(
        title,
        sets.map(({ name, bars }) => ({ name, points: bars })),
      ),
    },
    plugins: [
      whiskers(
        sets.map(({ bars }) => bars),
        sets.map(() => colourOf('text')),
        WHISKER_HALF_WIDTH,
      ),
      baseline(1, colourOf('muted')),
    ],
  });
}

function curveSet({ title, colour, dashed, hollow, points }: CurvePlotLine): object {
  const own = colourOf(colour);
  return {
    label: title,
    data: points.map(({ x, y }) => ({ x, y })),
    showLine: true,
    borderColor: own,
    borderWidth: 2,
    borderDash: dashed ? [6, 4] : [],
    pointBackgroundColor: hollow ? colourOf('raised') : own,
    pointBorderColor: points.map(({ broken }) => (broken ? colourOf('bad') : own)),
    pointBorderWidth: 2,
    // The collapse is a cross, whatever the colour.
    pointStyle: points.map(({ broken }) => (broken ? 'crossRot' : 'circle')),
    pointRadius: points.map(({ broken }) => (broken ? BROKEN_RADIUS : POINT_RADIUS)),
  };
}

function drawCurve(canvas: PageElement, { title, lines }: CurvePlot): DrawnChart {
  const axis = (text: string): object => ({ display: true, text, color: colourOf('muted') });
  return new Chart(canvas, {
    type: 'scatter',
    data: { datasets: lines.map(curveSet) },
    options: {
      ...plainOptions(),
      scales: {
        x: { ...valueScale(), beginAtZero: true, title: axis('offered, requests/s') },
        y: { ...valueScale(), ticks: timeTicks(), type: 'logarithmic', title: axis('p99') },
      },
      plugins: captions(
        title,
        lines.map(({ title: name, points }) => ({ name, points })),
      ),
    },
  });
}

const drawAll = drawOnAll((canvas) => {
  const plot = plots.find(({ id }) => id === canvas.dataset['plot']);
  switch (plot?.kind) {
    case 'layers':
      return drawLayers(canvas, plot);
    case 'pair':
      return drawPair(canvas, plot);
    case 'curve':
      return drawCurve(canvas, plot);
    case undefined:
      return undefined;
  }
});

for (const input of document.querySelectorAll('input')) {
  input.addEventListener('change', () => {
    chosen = input.value;
    drawAll();
  });
}
