/** Per-thread settings. */
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
   * Microseconds, 0 to 1000, for which this thread's event loop busy-polls after it has handled a native socket: lower
   * latency for more CPU. Polling backs off while it finds nothing, and never keeps the process alive. Default: the
   * environment variable `NEARWIRE_SPIN`, otherwise 0. Has no effect on `js`.
   */
  spinMicroseconds?: number | undefined;
  /**
   * The limit, in bytes, for the living pages of all threads of the process, checked when this thread makes another:
   * see `Page`. Beyond it, a page is refused with ERR_NEARWIRE_PAGE_LIMIT. Default: the environment variable
   * `NEARWIRE_PAGE_LIMIT`, otherwise a quarter of the memory that the process may use.
   */
  pageLimit?: number | undefined;
  /**
   * Milliseconds that connects to a UNIX socket wait while the listener's accept queue is full, unless they set
   * `backlogTimeout` themselves: see `ConnectOptions`. Default: the environment variable `NEARWIRE_BACKLOG_TIMEOUT`,
   * otherwise 10,000. Has no effect on `js`.
   */
  backlogTimeout?: number | undefined;
}

/**
 * Changes settings of the calling thread; settings that are left out stay unchanged. May be called at any time. Throws
 * a TypeError or RangeError for invalid values.
 */
export function configure(settings: Settings): void {
  const given: unknown = settings;
  if (typeof given !== 'object' || given === null) throw argTypeError('settings', 'of type object', given);
  const { spinMicroseconds, pageLimit, backlogTimeout } = given as Record<keyof Settings, unknown>;
  checkWhole(spinMicroseconds, 'settings.spinMicroseconds', 0, MAX_SPIN);
  checkWhole(pageLimit, 'settings.pageLimit', 0, MAX_PAGE_LIMIT);
  checkWhole(backlogTimeout, 'settings.backlogTimeout', 0, MAX_BACKLOG_TIMEOUT);
  if (backlogTimeout !== undefined) setBacklogTimeoutOfThread(backlogTimeout);
  if (pageLimit !== undefined) setPageLimitOfThread(pageLimit);
  if (spinMicroseconds === undefined) return;
  setSpinOfThread(spinMicroseconds);
  madeEngine()?.native.setSpin(spinMicroseconds);
}
