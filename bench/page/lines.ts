/** The plots of the growth, worked out beforehand. */
import { growth as growthCase } from '../cases/growth.js';
import { formatValue } from '../format.js';
import { describePoint, growthOf, type GrowthPoint } from '../growth.js';
import type { BenchResult, Measure, MeasureName, SubjectName } from '../model.js';
import { cellOf } from '../statistics.js';

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** Of connections that are not all busy: no part of the line. */
  readonly apart: boolean;
}

export interface GrowthChart {
  readonly measure: string;
  readonly title: string;
  readonly unit: string;
  readonly better: string;
  readonly logarithmic: boolean;
  readonly lines: readonly { readonly subject: SubjectName; readonly points: readonly LinePoint[] }[];
}

/** The round trip grows with the connections themselves, as each waits for all the others. */
const PLOTTED: readonly { name: MeasureName; logarithmic: boolean }[] = [
  { name: 'cpu', logarithmic: false },
  { name: 'p50', logarithmic: true },
];

export function growthChartsOf(result: BenchResult): GrowthChart[] {
  const growth = growthOf(result);
  if (!growth) return [];
  return PLOTTED.flatMap(({ name, logarithmic }) => {
    const measure = growthCase.measures.find((entry) => entry.name === name);
    if (!measure) return [];
    const lines = growth.subjects.map((subject) => ({
      subject,
      points: growth.points.flatMap((point) => pointOn(result, point, measure, subject)),
    }));
    const { meaning, unit, better } = measure;
    return [{ measure: name, title: meaning, unit, better, logarithmic, lines }];
  });
}

function pointOn(result: BenchResult, point: GrowthPoint, measure: Measure, subject: SubjectName): LinePoint[] {
  const cell = cellOf(result.cells, point.result.series, measure, subject);
  if (!cell) return [];
  const text = `${formatValue(cell.median, cell.unit)} at ${describePoint(point)}`;
  return [{ x: point.connections + point.idle, y: cell.median, text, apart: point.idle > 0 }];
}
