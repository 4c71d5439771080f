/** The heat map of a subject, worked out: figures, what they are against the default buffer, and how warm that is. */
import { ratioWithinRounds, ROUNDS_TO_JUDGE, type RatioSummary } from '../statistics.js';
import { takesWhole } from './conclude.js';
import {
  MEASURES,
  type BufferChoice,
  type CellResult,
  type MeasureName,
  type SubjectName,
  type SweepResult,
} from './model.js';
import { formatMemory } from './report.js';
import { valuesByRound } from './summary.js';

export interface HeatFigure {
  readonly measure: MeasureName;
  readonly unit: string;
  readonly value: number;
  /** Against the default buffer, within each round; null for the default itself, and where it was not measured. */
  readonly ratio: RatioSummary | null;
  /** -1 to 1: how much worse or better than the default; 0 too where the rounds do not agree on either. */
  readonly heat: number;
}

export interface HeatCell {
  readonly figures: readonly HeatFigure[];
  /** It is what the conclusion says to set. */
  readonly isToBeSet: boolean;
  /** The smallest buffer that takes the response whole. */
  readonly isFirstWhole: boolean;
}

export interface HeatRow {
  readonly buffer: BufferChoice;
  /** Of all sizes together, in words. */
  readonly effective: string;
  readonly clamped: boolean;
  /** The most, of all sizes. */
  readonly memory: number;
  /** One a size; undefined where it was not measured. */
  readonly cells: readonly (HeatCell | undefined)[];
}

export interface HeatMap {
  readonly sizes: readonly number[];
  readonly rows: readonly HeatRow[];
}

/** This many times as good as the default is as warm as it gets. */
const HOTTEST = 3;

export function heatOf(result: SweepResult, subject: SubjectName): HeatMap {
  const cells = result.cells.filter((cell) => cell.subject === subject);
  // All of them, so that the maps of all subjects stand under each other.
  const { sizes } = result;
  const rows = result.buffers.flatMap((buffer) => {
    const row = cells.filter((cell) => cell.buffer === buffer);
    if (row.length === 0) return [];
    return [
      {
        buffer,
        effective: describeEffective(row),
        clamped: row.some(({ clamped }) => clamped),
        memory: Math.max(...row.map(({ memory }) => memory)),
        cells: sizes.map((size) => {
          const cell = row.find((entry) => entry.size === size);
          return cell && heatCellOf(cell, cells, result);
        }),
      },
    ];
  });
  return { sizes, rows };
}

function heatCellOf(cell: CellResult, cells: readonly CellResult[], { conclusions }: SweepResult): HeatCell {
  const usual = cells.find(({ size, buffer }) => size === cell.size && buffer === 'default');
  const conclusion = conclusions.find(({ subject, size }) => subject === cell.subject && size === cell.size);
  return {
    figures: MEASURES.map(({ name }) => figureOf(cell, usual, name)),
    isToBeSet: conclusion?.buffer === cell.buffer,
    isFirstWhole: conclusion?.whole === cell.buffer && takesWhole(cell),
  };
}

function figureOf(cell: CellResult, usual: CellResult | undefined, measure: MeasureName): HeatFigure {
  const { unit, better, median: value } = cell.measures[measure];
  const ratio =
    usual && usual !== cell
      ? (ratioWithinRounds(valuesByRound(cell, measure), valuesByRound(usual, measure)) ?? null)
      : null;
  return { measure, unit, value, ratio, heat: ratio === null ? 0 : heatFor(ratio, better) };
}

function heatFor({ median, low, high, rounds }: RatioSummary, better: 'higher' | 'lower'): number {
  if (rounds >= ROUNDS_TO_JUDGE && low <= 1 && high >= 1) return 0;
  const goodness = better === 'higher' ? median : 1 / median;
  return Math.max(-1, Math.min(1, Math.log(goodness) / Math.log(HOTTEST)));
}

function describeEffective(row: readonly CellResult[]): string {
  const sizes = row.map(({ effective }) => effective);
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
  return low === high ? `${formatMemory(low)} in effect` : `${formatMemory(low)} to ${formatMemory(high)} in effect`;
}
