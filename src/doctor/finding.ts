/** What the doctor finds. */

/** From harmless to what loses requests. */
const LEVELS = ['ok', 'note', 'warning', 'problem'] as const;
export type Level = (typeof LEVELS)[number];

export interface Finding {
  /** A stable name: `listener.stale`. */
  check: string;
  level: Level;
  /** What is the case. */
  what: string;
  /** Why it matters; not there for what is in order. */
  why?: string;
  /** Command lines or lines of a configuration, any of which mends it. */
  fix?: string[];
  /** What nginx writes into its error log for it, where that is so. */
  nginx?: string;
}

/** Exit codes: 2 is a wrong command line, as in the other commands. */
const EXITS: Record<Level, number> = { ok: 0, note: 0, warning: 1, problem: 3 };

export function worstOf(findings: readonly Finding[]): Level {
  const highest = Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[highest] ?? 'ok';
}

export function exitCodeOf(findings: readonly Finding[]): number {
  return EXITS[worstOf(findings)];
}
