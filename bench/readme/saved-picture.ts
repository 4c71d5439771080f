/**
 * The share of an application's CPU time that is saved, by its handler's computing time: a chart for each version of
 * Node.
 */
import { linearTicks, valuesOf, type Axis, type Line } from './chart.js';
import type { Excerpt } from './figures.js';
import { GAIN_ROWS, savedShare } from './first-page.js';
import { renderPanels } from './panels.js';

const HANDLERS: Axis = {
  title: 'CPU time of your handler, ms a request',
  scale: 'log',
  ticks: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20],
};

/** Points between two ticks, so that curves are drawn as curves. */
const STEPS = 4;

const LINES = [
  { row: GAIN_ROWS.each, name: 'a connection per request', colour: 0 },
  { row: GAIN_ROWS.kept, name: 'kept connections', colour: 1 },
] as const;

function handlerTimes(): number[] {
  const { ticks } = HANDLERS;
  const between = ticks.slice(1).flatMap((tick, at) => {
    const before = ticks[at] ?? tick;
    return Array.from({ length: STEPS }, (_, step) => before * (tick / before) ** (step / STEPS));
  });
  return [...between, ...ticks.slice(-1)];
}

function linesOf(excerpt: Excerpt): Line[] {
  return LINES.flatMap(({ row, name, colour }) => {
    const points = handlerTimes().flatMap((x) => {
      const saved = savedShare(excerpt, row, x);
      return saved === undefined ? [] : [{ x, y: saved.percent, low: saved.low, high: saved.high }];
    });
    return points.length === 0 ? [] : [{ name, colour, points }];
  });
}

/** As many digits as fit between two ticks. */
function percentText(percent: number): string {
  const decimals = [10, 1].filter((least) => Math.abs(percent) < least).length;
  return percent.toFixed(decimals);
}

export function renderSaved(excerpts: readonly Excerpt[]): string {
  return renderPanels('What nearwire saves of the CPU of your app', excerpts, linesOf, (lines) => ({
    x: HANDLERS,
    y: {
      title: "saved of the app's CPU, % (band: the rounds)",
      scale: 'linear',
      ticks: linearTicks(valuesOf(lines)),
      textOf: percentText,
    },
  }));
}
