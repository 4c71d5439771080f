/** Figures and their intervals for the eye. Times are microseconds throughout. */
import { digits, formatValue } from '../format.js';
import type { Figure } from './model.js';

const MS = 1000;
const SECOND = 1e6;

/** `14.0 us`, `2.31 ms`, `9.70 s`. */
export function formatTime(microseconds: number): string {
  const size = Math.abs(microseconds);
  if (size >= SECOND) return `${digits(microseconds / SECOND)} s`;
  // Four digits are for the next unit.
  return size >= MS ? `${digits(microseconds / MS)} ms` : `${digits(microseconds)} us`;
}

/** `54.7 k/s`. */
export function formatRate(perSecond: number): string {
  return `${perSecond < 0 ? '-' : ''}${formatValue(Math.abs(perSecond), 'operations/s')}`;
}

/** Of what can't be below nothing, as an interval of few rounds may be. */
export function notNegative(figure: Figure): Figure {
  return figure.low >= 0 ? figure : { ...figure, low: 0 };
}

/** `6.2 %`, `34 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent.toFixed(Math.abs(percent) < 10 ? 1 : 0)} %`;
}

/** How often something happens in a request: `5`, `2.3`; empty where nobody knows. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? '' : String(Math.round(count * 10) / 10);
}

export type Format = (value: number) => string;

/** `12.3 to 13.1 us`: the unit once where both ends have the same. Nothing for what was seen once. */
export function formatInterval({ low, high, rounds }: Figure, format: Format): string {
  if (rounds < 2) return 'one round';
  const [from, to] = [format(low), format(high)];
  const unit = to.slice(to.indexOf(' '));
  return `${from.endsWith(unit) ? from.slice(0, -unit.length) : from} to ${to}`;
}

/** Half the interval against the median, for where there is no room: `±4 %`. The wider half, if they differ. */
export function formatDeviation({ median, low, high, rounds }: Figure): string {
  if (rounds < 2 || median === 0) return '';
  const half = Math.max(high - median, median - low) / Math.abs(median);
  return `±${(half * 100).toFixed(half < 0.095 ? 1 : 0)} %`;
}

/** `14.0 us (12.3 to 15.1 us)`. */
export function formatFigure(figure: Figure, format: Format): string {
  return `${format(figure.median)} (${formatInterval(figure, format)})`;
}

/** A figure of an answer, of which only the name tells what it is. */
export function formatNamed(name: string, figure: Figure): string {
  const lower = name.toLowerCase();
  if (lower.includes('share')) return formatFigure(figure, formatShare);
  if (lower.includes('rate') || lower.includes('persecond')) return formatFigure(figure, formatRate);
  if (lower.includes('ratio')) return formatFigure(figure, (value) => `${digits(value)} x`);
  return formatFigure(figure, formatTime);
}
