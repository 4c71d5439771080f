/** Finds nginx, which serves files as cheaply as any server: a second baseline of `file` in addition to plain C. */
import { findProgram } from './executable.js';

/** NEARWIRE_NGINX names another one than the installed one. */
export function findNginx(): string | Error {
  // Its worker is a separate process, whose CPU is read from there.
  if (process.platform !== 'linux') return new Error('its CPU is read from /proc, which this system does not have');
  return findProgram('NEARWIRE_NGINX', ['nginx']) ?? new Error('not installed, `file` does without it');
}
