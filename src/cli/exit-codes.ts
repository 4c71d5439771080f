/** The exit codes of all commands, nearwire-bench's among them. An end by a signal is 128 and its number. */
export const EXIT_CODES = {
  ok: 0,
  /** Something was found that is to be mended, a limit is exceeded, or a part of a measurement failed. */
  found: 1,
  /** Invalid arguments, or an invalid environment variable. */
  usage: 2,
  /** What the command needs is not there: no process listens, no addon, no package nearwire-bench, nothing to measure. */
  unavailable: 3,
  /** The system does not say. */
  unknown: 4,
} as const;
