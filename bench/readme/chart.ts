/** Line charts, one below the other in one picture. Below each chart are the values at the ticks of its x axis. */
import { digits } from '../format.js';
import { element, renderSvg, WIDTH } from './svg.js';

const LEFT = 64;
const RIGHT = WIDTH - 28;
const PLOT = 200;
/** The height between a chart's top and its plot: its title, and that of the y axis. */
const HEAD = 52;
/** The ticks of the x axis and its title. */
const FOOT = 46;
/** A line's row of values: its name, and the values. */
const VALUES = 42;
const TITLE = 28;
const DOT = 3.5;

export interface Axis {
  /** Including the unit. */
  readonly title: string;
  readonly scale: 'linear' | 'log';
  /** The first and the last are the limits of the plot. */
  readonly ticks: readonly number[];
  /** Formats the values below the chart; by default they have three digits or more. */
  readonly textOf?: (value: number) => string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** The range of the rounds, if known. */
  readonly low?: number;
  readonly high?: number;
}

export interface Line {
  readonly name: string;
  readonly colour: 0 | 1 | 2 | 3;
  readonly isDashed?: boolean;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

type Place = (value: number) => number;

function placeOn({ scale, ticks }: Axis, from: number, to: number): Place {
  const of = (value: number): number => (scale === 'log' ? Math.log(value) : value);
  const [first, last] = [of(ticks[0] ?? NaN), of(ticks.at(-1) ?? NaN)];
  return (value) => from + ((of(value) - first) / (last - first)) * (to - from);
}

/** Steps of 1, 2 or 5 times a power of ten, from at most the lowest value, or 0, to above the highest. */
export function linearTicks(values: readonly number[]): number[] {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const power = 10 ** Math.floor(Math.log10((most - least || 1) / 4));
  const step = power * ([1, 2, 5, 10].find((times) => (most - least) / (power * times) <= 5) ?? 10);
  const [first, last] = [Math.floor(least / step), Math.max(1, Math.ceil(most / step))];
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** 1, 2 and 5 times powers of ten; all values are between the first and the last. */
export function logTicks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power < high * 10; power *= 10) {
    ticks.push(...[1, 2, 5].map((times) => Number((power * times).toPrecision(12))));
  }
  const [first, last] = [ticks.findLastIndex((tick) => tick <= low), ticks.findIndex((tick) => tick >= high)];
  return ticks.slice(Math.max(0, first), Math.max(first + 1, last) + 1);
}

/** All values of lines and their bands: for the ticks of an axis. */
export function valuesOf(lines: readonly Line[]): number[] {
  return lines.flatMap(({ points }) => points.flatMap(({ y, low = y, high = y }) => [y, low, high]));
}

export function heightOf({ lines }: Chart): number {
  return HEAD + PLOT + FOOT + lines.length * VALUES;
}

function grid({ title, x, y }: Chart, top: number, [atX, atY]: readonly [Place, Place]): string[] {
  const bottom = top + HEAD + PLOT;
  return [
    element('text', { x: 0, y: top + 16 }, title),
    element('text', { class: 'small', x: 0, y: top + 38 }, y.title),
    ...y.ticks.flatMap((tick) => [
      element('line', { class: 'grid', x1: LEFT, x2: RIGHT, y1: atY(tick), y2: atY(tick) }),
      element('text', { class: 'small', x: LEFT - 10, y: atY(tick) + 5, 'text-anchor': 'end' }, shown(tick)),
    ]),
    ...x.ticks.flatMap((tick) => [
      element('line', { class: 'grid', x1: atX(tick), x2: atX(tick), y1: bottom - PLOT, y2: bottom }),
      element('text', { class: 'small', x: atX(tick), y: bottom + 18, 'text-anchor': 'middle' }, shown(tick)),
    ]),
    element('text', { class: 'small', x: RIGHT, y: bottom + 38, 'text-anchor': 'end' }, x.title),
  ];
}

function grouped(whole: number): string {
  return whole.toLocaleString('en', { maximumFractionDigits: 0 });
}

function shown(tick: number): string {
  return tick >= 1000 ? grouped(tick) : String(tick);
}

function valueText(value: number): string {
  return value >= 1000 ? grouped(value) : digits(value);
}

function drawLine({ points, colour, isDashed }: Line, [atX, atY]: readonly [Place, Place]): string[] {
  const path = (of: readonly (readonly [number, number])[]): string =>
    of.map(([x, y]) => `${atX(x).toFixed(1)},${atY(y).toFixed(1)}`).join(' ');
  const ranges = points.flatMap(({ x, low, high }) =>
    low === undefined || high === undefined ? [] : [{ x, low, high }],
  );
  const edges = [
    ...ranges.map(({ x, high }) => [x, high] as const),
    ...ranges.toReversed().map(({ x, low }) => [x, low] as const),
  ];
  const dash = isDashed === true ? ' dashed' : '';
  return [
    ...(edges.length > 0 ? [element('polygon', { class: `band${String(colour)}`, points: path(edges) })] : []),
    element('polyline', {
      class: `line${String(colour)}${dash}`,
      points: path(points.map(({ x, y }) => [x, y] as const)),
    }),
  ];
}

/** The values at the ticks, below them, and a dot on the line for each. */
function drawValues(line: Line, { x, y }: Chart, top: number, [atX, atY]: readonly [Place, Place]): string[] {
  const textOf = y.textOf ?? valueText;
  const [colour, dash] = [String(line.colour), line.isDashed === true ? ' dashed' : ''];
  const told = line.points.filter((point) => x.ticks.includes(point.x));
  return [
    element('line', { class: `line${colour}${dash}`, x1: 0, x2: 28, y1: top + 9, y2: top + 9 }),
    element('text', { class: 'value', x: 38, y: top + 14 }, line.name),
    ...told.flatMap((point) => [
      element('circle', { class: `bar${colour}`, cx: atX(point.x), cy: atY(point.y), r: DOT }),
      element('text', { class: 'value', x: atX(point.x), y: top + 32, 'text-anchor': 'middle' }, textOf(point.y)),
    ]),
  ];
}

function drawChart(chart: Chart, top: number): string[] {
  const bottom = top + HEAD + PLOT;
  const places = [placeOn(chart.x, LEFT, RIGHT), placeOn(chart.y, bottom, bottom - PLOT)] as const;
  return [
    ...grid(chart, top, places),
    ...chart.lines.flatMap((line) => drawLine(line, places)),
    ...chart.lines.flatMap((line, at) => drawValues(line, chart, bottom + FOOT + at * VALUES, places)),
  ];
}

function describe({ title, x, y, lines }: Chart): string {
  const textOf = y.textOf ?? valueText;
  const each = lines.map(({ name, points }) => {
    const values = points.filter((point) => x.ticks.includes(point.x));
    return `${name}: ${values.map((point) => `${textOf(point.y)} at ${shown(point.x)}`).join(', ')}.`;
  });
  return [`${title}: ${y.title}, by ${x.title}.`, ...each].join(' ');
}

/** An SVG image, for light and dark pages. */
export function renderCharts(title: string, charts: readonly Chart[], notes = ''): string {
  const tops = charts.map((_, at) => TITLE + charts.slice(0, at).reduce((sum, chart) => sum + heightOf(chart) + 16, 0));
  const last = charts.at(-1);
  return renderSvg({
    title,
    description: [...charts.map(describe), notes].filter(Boolean).join(' '),
    height: (tops.at(-1) ?? 0) + (last ? heightOf(last) : 0),
    body: charts.flatMap((chart, at) => drawChart(chart, tops[at] ?? 0)),
  });
}
