/** Figures in sentences. */
import type { OverloadMove } from '../model.js';

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${count(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** `502 for 212 of 781 requests`; without 200, which is no error. */
export function statuses({ sent, statuses: seen }: { sent: number; statuses: ReadonlyMap<number, number> }): string {
  const bad = [...seen].filter(([status]) => status !== 200);
  return bad.map(([status, times]) => `${String(status)} for ${count(times)} of ${count(sent)} requests`).join(', ');
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
