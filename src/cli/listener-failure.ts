/** The exit code for a listener that cannot be inspected. */
import { EXIT_CODES } from './exit-codes.js';

/** Error codes that mean that no process listens; all others mean that it could not be determined. */
const ABSENT_CODES: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ERR_NEARWIRE_NO_LISTENER',
  'ERR_NEARWIRE_STALE_SOCKET',
  'ERR_NEARWIRE_NOT_A_SOCKET',
]);

export function exitCodeOfFailure(code: string | undefined): number {
  return ABSENT_CODES.has(code) ? EXIT_CODES.unavailable : EXIT_CODES.unknown;
}
