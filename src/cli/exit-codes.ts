/**
 * The exit codes of all commands, including those of nearwire-bench. A command ended by a signal has 128 plus its
 * number.
 */
export const EXIT_CODES = {
  ok: 0,
  /** There is something to fix, a limit is exceeded, or a part of a measurement failed. */
  found: 1,
  /** Invalid arguments, or an invalid environment variable. */
  usage: 2,
  /** A requirement is missing: no process listens, no addon, no package nearwire-bench, nothing to measure. */
  unavailable: 3,
  /** The system does not report it. */
  unknown: 4,
} as const;
