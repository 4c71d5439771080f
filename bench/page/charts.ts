/** What the page draws, worked out beforehand: the script in the page puts it on canvases and no more. */
import { CASES } from '../cases/index.js';
import { load as loadCase } from '../cases/load.js';
import { describeParams, describeSeries, formatSpread, formatValue } from '../format.js';
import type { BenchCase, BenchResult, Measure, Series, SubjectName } from '../model.js';
import { cellOf, ratioOf } from '../statistics.js';

export interface Bar {
  readonly value: number;
  /** The extremes of the rounds, drawn as a whisker. */
  readonly low: number;
  readonly high: number;
  readonly text: string;
  /** The load generator was the limit: drawn pale. */
  readonly limited: boolean;
}

export interface Bars {
  readonly subject: SubjectName;
  /** One a label; null where the subject was not run. */
  readonly values: readonly (Bar | null)[];
  /** The same against node:net, or what else a subject is held against. */
  readonly ratios: readonly (Bar | null)[];
}

export interface ChartData {
  readonly case: string;
  readonly measure: string;
  readonly unit: string;
  readonly better: string;
  readonly labels: readonly string[];
  readonly bars: readonly Bars[];
}

export function chartsOf(result: BenchResult): ChartData[] {
  return CASES.flatMap((benchCase) => {
    // Its plots are lines.
    if (benchCase === loadCase) return [];
    const series = seriesOf(result, benchCase);
    return series.length === 0 ? [] : benchCase.measures.map((measure) => chartOf(result, benchCase, measure, series));
  });
}

/** The series of a case that have any sample. */
export function seriesOf(result: BenchResult, benchCase: BenchCase): Series[] {
  return result.results
    .filter(({ series, samples }) => series.case === benchCase && samples.length > 0)
    .map(({ series }) => series);
}

export function labelsOf(series: readonly Series[]): string[] {
  const paramsVary = new Set(series.map(({ params }) => describeParams(params))).size > 1;
  return series.map(({ params, family }) => describeSeries(params, family, paramsVary));
}

function chartOf(result: BenchResult, benchCase: BenchCase, measure: Measure, series: readonly Series[]): ChartData {
  const bars = result.lineup.map(({ name }) => ({
    subject: name,
    values: series.map((entry) => valueBar(result, entry, measure, name)),
    ratios: series.map((entry) => ratioBar(result, entry, measure, name)),
  }));
  return {
    case: benchCase.name,
    measure: measure.name,
    unit: measure.unit,
    better: measure.better,
    labels: labelsOf(series),
    bars: bars.filter(({ values }) => values.some((bar) => bar !== null)),
  };
}

export function valueBar(result: BenchResult, series: Series, measure: Measure, subject: SubjectName): Bar | null {
  const cell = cellOf(result.cells, series, measure, subject);
  if (!cell) return null;
  const low = Math.min(...cell.samples);
  const high = Math.max(...cell.samples);
  const margin = cell.rme === undefined ? '' : `, margin of error ±${cell.rme.toFixed(1)} %`;
  const text = `${formatValue(cell.median, cell.unit)} (${formatValue(low, cell.unit)} to ${formatValue(high, cell.unit)})${margin}`;
  return { value: cell.median, low, high, text, limited: cell.limitedBy !== undefined };
}

function ratioBar(result: BenchResult, series: Series, measure: Measure, subject: SubjectName): Bar | null {
  const value = valueBar(result, series, measure, subject);
  if (!value) return null;
  if (subject === 'node:net') return { value: 1, low: 1, high: 1, text: 'the baseline', limited: value.limited };
  const ratio = ratioOf(result.ratios, series, measure, subject);
  if (!ratio) return null;
  const text = `${formatSpread(ratio)} of ${ratio.baseline}`;
  return { value: ratio.median, low: ratio.low, high: ratio.high, text, limited: value.limited };
}
