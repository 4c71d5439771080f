/** How the figures of the fan-in grow with the connections: each against the one at 16 connections. */
import { growth, GROWTH_BASE } from './cases/growth.js';
import type { BenchResult, Measure, Params, Sample, SeriesResult, SubjectName } from './model.js';
import { ratioWithinRounds, type RatioSummary } from './statistics.js';

/** A number of connections. */
export interface GrowthPoint {
  /** Busy ones. */
  readonly connections: number;
  readonly idle: number;
  readonly result: SeriesResult;
}

export interface GrowthRow {
  readonly point: GrowthPoint;
  readonly figure: string;
  /** Against the base, taken within each round; of `subjects`, in their order. */
  readonly ratios: readonly (RatioSummary | undefined)[];
}

export interface Growth {
  readonly points: readonly GrowthPoint[];
  readonly subjects: readonly SubjectName[];
  readonly rows: readonly GrowthRow[];
}

interface Figure {
  readonly name: string;
  valueOf(sample: Sample, point: GrowthPoint): number | undefined;
}

function figureOf({ name }: Measure): Figure {
  return { name, valueOf: ({ values }) => values[name] };
}

const FIGURES: readonly Figure[] = [
  ...growth.measures.map(figureOf),
  {
    // Every connection has a message outstanding, and waits for those of all the others: in a server whose cost does not
    // grow, the round trip grows as the connections do.
    name: 'p50 / connections',
    valueOf: ({ values: { p50 } }, { connections }) => (p50 === undefined ? undefined : p50 / connections),
  },
];

/** Undefined where there is no growth to tell of: one number of connections, or none to compare with. */
export function growthOf({ results, lineup }: BenchResult): Growth | undefined {
  const points = results.filter(isPoint).map(pointOf);
  const base = points.find(({ connections, idle }) => connections === GROWTH_BASE && idle === 0);
  if (!base || points.length < 2) return undefined;
  const subjects = lineup
    .map(({ name }) => name)
    .filter((name) => points.some(({ result }) => result.samples.some(({ subject }) => subject === name)));
  const rows = FIGURES.flatMap((figure) =>
    points
      .filter((point) => point !== base)
      .map((point) => ({
        point,
        figure: figure.name,
        ratios: subjects.map((subject) =>
          ratioWithinRounds(valuesOf(point, subject, figure), valuesOf(base, subject, figure)),
        ),
      })),
  );
  return { points, subjects, rows };
}

/** `256 connections, 8192 idle`. */
export function describePoint({ connections, idle }: GrowthPoint): string {
  const busy = `${String(connections)} connection${connections === 1 ? '' : 's'}`;
  return idle === 0 ? busy : `${busy}, ${String(idle)} idle`;
}

function isPoint({ series, samples }: SeriesResult): boolean {
  return series.case === growth && series.family === 'unix' && samples.length > 0;
}

function pointOf(result: SeriesResult): GrowthPoint {
  const { params } = result.series;
  return { connections: numberIn(params, 'connections'), idle: numberIn(params, 'idle'), result };
}

function numberIn(params: Params, name: string): number {
  const value = params[name];
  return typeof value === 'number' ? value : 0;
}

function valuesOf(point: GrowthPoint, subject: SubjectName, figure: Figure): Map<number, number> {
  const values = new Map<number, number>();
  for (const sample of point.result.samples) {
    const value = sample.subject === subject ? figure.valueOf(sample, point) : undefined;
    if (value !== undefined) values.set(sample.round, value);
  }
  return values;
}
