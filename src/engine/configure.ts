/** Settings of a thread, for what is no affair of a single server or socket. */
import { madeEngine } from './thread-engine.js';
import { argTypeError } from '../errors/index.js';
import { checkWhole } from '../config/options.js';
import {
  MAX_BACKLOG_TIMEOUT,
  MAX_PAGE_LIMIT,
  MAX_SPIN,
  setBacklogTimeoutOfThread,
  setPageLimitOfThread,
  setSpinOfThread,
} from '../config/settings.js';

/** Settings of a thread: what `configure()` takes. */
export interface Settings {
  /**
   * Microseconds, 0 to 1000, for which the loop of this thread stays awake after it has seen to a native socket, in case
   * more comes: latency bought with CPU. It rests while this does not pay, and keeps no process alive. Default: the
   * environment's `NEARWIRE_SPIN`, else 0. Without effect on `js`.
   */
  spin?: number | undefined;
  /**
   * Bytes that the living pages of the process, those of all its threads, may come to when this thread makes another: see
   * `Page`. More is refused with ERR_NEARWIRE_PAGE_LIMIT. Default: the environment's `NEARWIRE_PAGE_LIMIT`, else a quarter
   * of the memory that the process may use.
   */
  pageLimit?: number | undefined;
  /**
   * Milliseconds for which connects to a UNIX socket wait while the listener's queue is full, where they do not say so
   * themselves: see `ConnectOptions`. Default: the environment's `NEARWIRE_BACKLOG_TIMEOUT`, else 10,000. Without effect on
   * `js`.
   */
  backlogTimeout?: number | undefined;
}

/**
 * Changes settings of the calling thread; what is not named stays. May be called at any time.
 * Throws a TypeError or RangeError for values that make no sense.
 */
export function configure(settings: Settings): void {
  const given: unknown = settings;
  if (typeof given !== 'object' || given === null) throw argTypeError('settings', 'of type object', given);
  const { spin, pageLimit, backlogTimeout } = given as Record<keyof Settings, unknown>;
  checkWhole(spin, 'settings.spin', 0, MAX_SPIN);
  checkWhole(pageLimit, 'settings.pageLimit', 0, MAX_PAGE_LIMIT);
  checkWhole(backlogTimeout, 'settings.backlogTimeout', 0, MAX_BACKLOG_TIMEOUT);
  if (backlogTimeout !== undefined) setBacklogTimeoutOfThread(backlogTimeout);
  if (pageLimit !== undefined) setPageLimitOfThread(pageLimit);
  if (spin === undefined) return;
  setSpinOfThread(spin);
  madeEngine()?.native.setSpin(spin);
}
