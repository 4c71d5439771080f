/** Figures in sentences. */
import type { OverloadMove } from '../model.js';
import { PATIENCE_SECONDS, type Burst } from './burst.js';

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${count(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** `502 for 212 of 781 requests`; empty if all were served. */
export function failuresOf({ sent, statuses, unanswered }: Burst): string {
  const bad = [...statuses].map(([status, times]) => [String(status), times] as const);
  if (unanswered > 0) bad.push([`no answer within ${String(PATIENCE_SECONDS)} s`, unanswered]);
  return bad.map(([what, times]) => `${what} for ${count(times)} of ${count(sent)} requests`).join(', ');
}

/** Lines of nginx's configuration, in a sentence. */
export function unended(...lines: readonly string[]): string {
  return lines.join(' ').replace(/;$/, '');
}

/** All that was changed, and to where the limit moved. */
export function settingsOf(moves: readonly OverloadMove[]): string {
  return moves
    .map(
      ({ setting, at }) => `${setting} (${at === undefined ? 'not met then' : `then ${count(at.value)} ${at.unit}`})`,
    )
    .join('; ');
}
