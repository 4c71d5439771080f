/** A finding of the doctor. */

/** From harmless to losing requests. */
const LEVELS = ['ok', 'note', 'warning', 'problem'] as const;
export type Level = (typeof LEVELS)[number];

export interface Finding {
  /** A stable name: `listener.stale`. */
  check: string;
  level: Level;
  /** The observation. */
  message: string;
  /** Why it matters; absent if all is well. */
  explanation?: string;
  /** Commands or configuration lines; each one fixes it. */
  remedies?: string[];
  /** The message that nginx writes into its error log for it, if any. */
  nginx?: string;
}

export function worstOf(findings: readonly Finding[]): Level {
  const highest = Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[highest] ?? 'ok';
}
