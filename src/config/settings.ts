/** What is set for a thread as a whole, as its loop is one. `configure()` is the way in. */
import { totalmem } from 'node:os';
import { argValueError } from '../errors/index.js';

const SPIN_VARIABLE = 'NEARWIRE_SPIN';
const BACKLOG_TIMEOUT_VARIABLE = 'NEARWIRE_BACKLOG_TIMEOUT';
const PAGE_LIMIT_VARIABLE = 'NEARWIRE_PAGE_LIMIT';

/**
 * The longest spin, in microseconds. To wake up costs tens of them, some hundreds where a core has to leave its deepest
 * sleep: who waits for longer than a millisecond can only lose by staying awake.
 */
export const MAX_SPIN = 1000;

let spin: number | undefined;

/** A whole number from the environment; undefined if it is not there. */
function wholeOfEnvironment(variable: string, highest: number): number | undefined {
  const value = process.env[variable];
  if (value === undefined || value === '') return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > highest) {
    throw argValueError(variable, value, `must be a whole number from 0 to ${String(highest)}`);
  }
  return number;
}

/** Microseconds. Throws ERR_INVALID_ARG_VALUE if nothing has been set and `NEARWIRE_SPIN` holds something unknown. */
export function spinOfThread(): number {
  return spin ?? wholeOfEnvironment(SPIN_VARIABLE, MAX_SPIN) ?? 0;
}

export function setSpinOfThread(microseconds: number): void {
  spin = microseconds;
}

/** The longest delay that a timer takes, in milliseconds. */
export const MAX_BACKLOG_TIMEOUT = 2 ** 31 - 1;

/**
 * Longer than a server is away that is only busy (a collection of garbage, a long synchronous stretch, a burst of connects),
 * and shorter than the minute for which web servers wait for an answer: what fails then still reaches somebody. Over TCP,
 * where the kernel tries again by itself, the slowest of a burst took 9.7 s here. undici's `connect.timeout` is the same.
 */
const DEFAULT_BACKLOG_TIMEOUT = 10_000;

let backlogTimeout: number | undefined;

/**
 * Milliseconds for which a connect waits for room in a UNIX listener's queue. Throws ERR_INVALID_ARG_VALUE if nothing has
 * been set and `NEARWIRE_BACKLOG_TIMEOUT` holds something unknown.
 */
export function backlogTimeoutOfThread(): number {
  return backlogTimeout ?? wholeOfEnvironment(BACKLOG_TIMEOUT_VARIABLE, MAX_BACKLOG_TIMEOUT) ?? DEFAULT_BACKLOG_TIMEOUT;
}

export function setBacklogTimeoutOfThread(milliseconds: number): void {
  backlogTimeout = milliseconds;
}

/** As many bytes as a number holds exactly. */
export const MAX_PAGE_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * What part of the memory that this process may use its pages may have by default. They lie outside of V8's heap, which
 * may take half of a small machine's memory or 4 GiB, and no swap takes them off the hands of a machine without: with a
 * quarter, both and the kernel's socket buffers fit.
 */
const PAGE_SHARE = 1 / 4;

let pageLimit: number | undefined;
let defaultPageLimit: number | undefined;

function memoryOfProcess(): number {
  // Of the control group, where there is one with a limit; else 0, undefined or more than there is.
  const constrained = process.constrainedMemory() as number | undefined;
  return constrained ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * Bytes that the pages of the process may come to as one more is made in this thread. Throws ERR_INVALID_ARG_VALUE if
 * nothing has been set and `NEARWIRE_PAGE_LIMIT` holds something unknown.
 */
export function pageLimitOfThread(): number {
  const set = pageLimit ?? wholeOfEnvironment(PAGE_LIMIT_VARIABLE, MAX_PAGE_LIMIT);
  return set ?? (defaultPageLimit ??= Math.floor(memoryOfProcess() * PAGE_SHARE));
}

export function setPageLimitOfThread(bytes: number): void {
  pageLimit = bytes;
}
