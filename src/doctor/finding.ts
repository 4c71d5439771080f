/** A finding of the doctor. */

/** From harmless to losing requests. */
const LEVELS = ['ok', 'note', 'warning', 'problem'] as const;
export type Level = (typeof LEVELS)[number];

export interface Finding {
  /** A stable name: `listener.stale`. */
  check: string;
  level: Level;
  /** The observation. */
  what: string;
  /** Why it matters; absent if all is well. */
  why?: string;
  /** Commands or configuration lines; each one fixes it. */
  fix?: string[];
  /** The message that nginx writes into its error log for it, if any. */
  nginx?: string;
}

/** Exit codes: 2 means invalid arguments, as in the other commands. */
const EXITS: Record<Level, number> = { ok: 0, note: 0, warning: 1, problem: 3 };

export function worstOf(findings: readonly Finding[]): Level {
  const highest = Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[highest] ?? 'ok';
}

export function exitCodeOf(findings: readonly Finding[]): number {
  return EXITS[worstOf(findings)];
}
