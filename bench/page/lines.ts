/** The plots of lines, worked out beforehand: how the growth grows, and what a load costs and has its users wait. */
import { growth as growthCase } from '../cases/growth.js';
import { load as loadCase } from '../cases/load.js';
import { formatTime } from '../cost/format-time.js';
import { formatRatio, formatValue } from '../format.js';
import { describePoint, growthOf, type GrowthPoint } from '../growth.js';
import { loadCoursesOf, SHOWN, type LoadCourse, type LoadPoint, type LoadRow } from '../load-report.js';
import type { BenchResult, Measure, MeasureName, SubjectName } from '../model.js';
import { cellOf } from '../statistics.js';

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** No part of the line: of connections that are not all busy. */
  readonly apart: boolean;
}

export interface LineChart {
  /** What its canvas is found by. */
  readonly id: string;
  readonly case: string;
  readonly title: string;
  readonly unit: string;
  readonly better: string;
  readonly across: { readonly title: string; readonly logarithmic: boolean };
  readonly logarithmic: boolean;
  readonly lines: readonly { readonly subject: SubjectName; readonly points: readonly LinePoint[] }[];
}

/** The round trip grows with the connections themselves, as each waits for all the others. */
const PLOTTED: readonly { name: MeasureName; logarithmic: boolean }[] = [
  { name: 'cpu', logarithmic: false },
  { name: 'p50', logarithmic: true },
];

export function growthChartsOf(result: BenchResult): LineChart[] {
  const growth = growthOf(result);
  if (!growth) return [];
  return PLOTTED.flatMap(({ name, logarithmic }) => {
    const measure = growthCase.measures.find((entry) => entry.name === name);
    if (!measure) return [];
    const lines = growth.subjects.map((subject) => ({
      subject,
      points: growth.points.flatMap((point) => pointOn(result, point, measure, subject)),
    }));
    const { meaning: title, unit, better } = measure;
    const across = { title: 'connections, idle ones included', logarithmic: true };
    return [{ id: `growth-${name}`, case: growthCase.name, title, unit, better, across, logarithmic, lines }];
  });
}

function pointOn(result: BenchResult, point: GrowthPoint, measure: Measure, subject: SubjectName): LinePoint[] {
  const cell = cellOf(result.cells, point.result.series, measure, subject);
  if (!cell) return [];
  const text = `${formatValue(cell.median, cell.unit)} at ${describePoint(point)}`;
  return [{ x: point.connections + point.idle, y: cell.median, text, apart: point.idle > 0 }];
}

/** Of each handler: its percentiles, and the CPU. */
export function loadChartsOf(course: LoadCourse, id: string): LineChart[] {
  const across = { title: "load, % of node:net's maximum", logarithmic: false };
  const linesOf = (yOf: (point: LoadPoint) => { y: number; text: string } | undefined): LineChart['lines'] =>
    course.subjects
      .map((subject) => ({ subject, points: course.rows.flatMap((row) => pointAt(row, subject, yOf)) }))
      .filter(({ points }) => points.length > 0);
  const latencies = SHOWN.map(({ name, title }, at) => ({
    ...{ id: `${id}-${name}`, case: loadCase.name, title, unit: 'us', better: 'lower', across, logarithmic: true },
    lines: linesOf(({ latency, ratios }) => {
      const y = latency.percentiles[name];
      const ratio = ratios[at];
      return y === undefined ? undefined : { y, text: withRatio(formatTime(y), ratio?.value) };
    }),
  }));
  const cpu = {
    ...{ id: `${id}-cpu`, case: loadCase.name, title: 'CPU of the server a request', unit: 'us', better: 'lower' },
    ...{ across, logarithmic: false },
    lines: linesOf(({ cpu: cell, cpuRatio }) =>
      cell ? { y: cell.median, text: withRatio(formatTime(cell.median), cpuRatio?.median) } : undefined,
    ),
  };
  return [...latencies, cpu].filter(({ lines }) => lines.length > 0);
}

function pointAt(
  { load, points }: LoadRow,
  subject: SubjectName,
  yOf: (point: LoadPoint) => { y: number; text: string } | undefined,
): LinePoint[] {
  const point = points.find((entry) => entry.subject === subject);
  const found = point && yOf(point);
  return found ? [{ x: load, y: found.y, text: `${found.text} at ${String(load)} %`, apart: false }] : [];
}

function withRatio(text: string, ratio: number | undefined): string {
  return ratio === undefined ? text : `${text}, ${formatRatio(ratio)} of node:net`;
}

export function lineChartsOf(result: BenchResult): LineChart[] {
  const loads = loadCoursesOf(result).flatMap((course, index) => loadChartsOf(course, courseId(index)));
  return [...growthChartsOf(result), ...loads];
}

export function courseId(index: number): string {
  return `load-${String(index)}`;
}

export function canvasOf({ id, case: name, title }: LineChart): string {
  return `<div class="chart"><canvas data-case="${name}" data-lines="${id}" role="img" aria-label="${name}: ${title}"></canvas></div>`;
}
