/** Settings of a whole thread, because a thread has one event loop. `configure()` sets them. */
import { totalmem } from 'node:os';
import { argValueError } from '../errors/index.js';

const SPIN_VARIABLE = 'NEARWIRE_SPIN';
const BACKLOG_TIMEOUT_VARIABLE = 'NEARWIRE_BACKLOG_TIMEOUT';
const PAGE_LIMIT_VARIABLE = 'NEARWIRE_PAGE_LIMIT';

/**
 * The longest spin, in microseconds. A wake-up costs tens of them, or some hundreds when a core has to leave its
 * deepest sleep state; waiting for more than a millisecond is always cheaper asleep.
 */
export const MAX_SPIN = 1000;

let spin: number | undefined;

/** A whole number from the environment; undefined if the variable is not set. */
function wholeOfEnvironment(variable: string, highest: number): number | undefined {
  const value = process.env[variable];
  if (value === undefined || value === '') return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > highest) {
    throw argValueError(variable, value, `must be a whole number from 0 to ${String(highest)}`);
  }
  return number;
}

/** Microseconds. Throws ERR_INVALID_ARG_VALUE if nothing has been set and `NEARWIRE_SPIN` is invalid. */
export function spinOfThread(): number {
  return spin ?? wholeOfEnvironment(SPIN_VARIABLE, MAX_SPIN) ?? 0;
}

export function setSpinOfThread(microseconds: number): void {
  spin = microseconds;
}

/** The longest delay of a timer, in milliseconds. */
export const MAX_BACKLOG_TIMEOUT = 2 ** 31 - 1;

/**
 * Longer than a busy server stops accepting (a garbage collection, a long synchronous stretch, a burst of connects),
 * and shorter than the minute that reverse proxies wait for a response: a later failure would reach no client. Over
 * TCP, where the kernel retries by itself, the slowest connect of a burst took 9.7 s here. undici's `connect.timeout`
 * has the same default.
 */
const DEFAULT_BACKLOG_TIMEOUT = 10_000;

let backlogTimeout: number | undefined;

/**
 * Milliseconds that a connect waits for room in a UNIX listener's accept queue. Throws ERR_INVALID_ARG_VALUE if nothing
 * has been set and `NEARWIRE_BACKLOG_TIMEOUT` is invalid.
 */
export function backlogTimeoutOfThread(): number {
  return backlogTimeout ?? wholeOfEnvironment(BACKLOG_TIMEOUT_VARIABLE, MAX_BACKLOG_TIMEOUT) ?? DEFAULT_BACKLOG_TIMEOUT;
}

export function setBacklogTimeoutOfThread(milliseconds: number): void {
  backlogTimeout = milliseconds;
}

/** The largest integer that a number holds exactly. */
export const MAX_PAGE_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * The default limit of pages, as a share of the memory that this process may use. Pages lie outside V8's heap, which
 * may itself take half of a small machine's memory, or 4 GiB, and without swap they cannot be moved out. With a
 * quarter, pages, heap and the kernel's socket buffers all fit.
 */
const PAGE_SHARE = 1 / 4;

let pageLimit: number | undefined;
let defaultPageLimit: number | undefined;

function memoryOfProcess(): number {
  // The control group's limit if there is one; otherwise 0, undefined or more than the machine has.
  const constrained = process.constrainedMemory() as number | undefined;
  return constrained ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * The limit, in bytes, that the pages of the whole process must stay within when this thread makes another. Throws
 * ERR_INVALID_ARG_VALUE if nothing has been set and `NEARWIRE_PAGE_LIMIT` is invalid.
 */
export function pageLimitOfThread(): number {
  const set = pageLimit ?? wholeOfEnvironment(PAGE_LIMIT_VARIABLE, MAX_PAGE_LIMIT);
  return set ?? (defaultPageLimit ??= Math.floor(memoryOfProcess() * PAGE_SHARE));
}

export function setPageLimitOfThread(bytes: number): void {
  pageLimit = bytes;
}
