/** What the doctor finds. */

/** From harmless to what loses requests. */
const LEVELS = ['ok', 'note', 'warning', 'problem'] as const;
export type Level = (typeof LEVELS)[number];

export interface Finding {
  /** A stable name: `listener.stale`. */
  check: string;
  level: Level;
  /** What is the case. */
  message: string;
  /** Why it matters; not there for what is in order. */
  explanation?: string;
  /** Command lines or lines of a configuration, any of which mends it. */
  remedies?: string[];
  /** What nginx writes into its error log for it, where that is so. */
  nginx?: string;
}

export function worstOf(findings: readonly Finding[]): Level {
  const highest = Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[highest] ?? 'ok';
}
