/** Where nginx is, which serves files as cheaply as anyone does: what `file` is held against besides plain C. */
import { findProgram } from './executable.js';

/** NEARWIRE_NGINX names another than the one that is installed. */
export function findNginx(): string | Error {
  // Its worker is another process, whose CPU is told there.
  if (process.platform !== 'linux') return new Error('its CPU is read from /proc, which this system does not have');
  return findProgram('NEARWIRE_NGINX', ['nginx']) ?? new Error('not installed, `file` does without it');
}
