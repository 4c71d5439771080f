/** The curves of the page, worked out beforehand: throughput over the send buffer, one plot a response size. */
import { formatBytes, formatValue } from '../../format.js';
import { nameOf } from '../conclude.js';
import type { CellResult, SubjectName, SweepResult } from '../model.js';

export interface CurvePoint {
  readonly value: number;
  /** The extremes of the rounds. */
  readonly low: number;
  readonly high: number;
  readonly text: string;
}

export interface Curves {
  readonly size: number;
  readonly title: string;
  /** The buffers, the default first. */
  readonly labels: readonly string[];
  /** null: not measured. */
  readonly lines: readonly { readonly subject: SubjectName; readonly points: readonly (CurvePoint | null)[] }[];
}

export function curvesOf({ sizes, buffers, subjects, cells }: SweepResult): Curves[] {
  return sizes.flatMap((size) => {
    const lines = subjects
      .map((subject) => ({
        subject,
        points: buffers.map((buffer) =>
          pointOf(cells.find((cell) => cell.subject === subject && cell.size === size && cell.buffer === buffer)),
        ),
      }))
      .filter(({ points }) => points.some((point) => point !== null));
    if (lines.length === 0) return [];
    return [{ size, title: `Responses of ${formatBytes(size)}: throughput`, labels: buffers.map(nameOf), lines }];
  });
}

function pointOf(cell: CellResult | undefined): CurvePoint | null {
  if (!cell) return null;
  const { median: value, samples, unit } = cell.measures.rate;
  const [low, high] = [Math.min(...samples), Math.max(...samples)];
  return {
    value,
    low,
    high,
    text: `${formatValue(value, unit)} (${formatValue(low, unit)} to ${formatValue(high, unit)})`,
  };
}
