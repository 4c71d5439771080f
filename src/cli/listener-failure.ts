/** The exit code of a listener that cannot be looked at. */
import { EXIT_CODES } from './exit-codes.js';

/** The codes of errors that say that no process listens; others say that it could not be found out. */
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
