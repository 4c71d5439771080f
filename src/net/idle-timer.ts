/** The idle timeout of a socket. */
import { clearTimeout, setTimeout } from 'node:timers';
import { checkNumber } from '../config/options.js';
import { now } from '../engine/clock.js';
import { loopTime } from '../engine/thread-engine.js';
import { outOfRangeError } from '../errors/index.js';
import { Scope } from './async-scopes.js';

/** The longest delay that a timer takes, in milliseconds. */
const TIMEOUT_MAX = 2 ** 31 - 1;

/** Less than this is left when a timer fires early: the loop counts whole milliseconds. */
const TIMER_GRAIN = 1;

/** The argument of a `setTimeout`, checked and shortened as node's sockets do. */
export function timerDuration(milliseconds: unknown): number {
  checkNumber(milliseconds, 'msecs');
  if (milliseconds < 0 || !Number.isFinite(milliseconds)) {
    throw outOfRangeError('msecs', 'a non-negative finite number', milliseconds);
  }
  if (milliseconds <= TIMEOUT_MAX) return milliseconds;
  const message = `${String(milliseconds)} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${String(TIMEOUT_MAX)}.`;
  process.emitWarning(message, 'TimeoutOverflowWarning');
  return TIMEOUT_MAX;
}

/** The underlying timers are created in this context, so that none keeps the context of the first caller alive. */
const nobodys = new Scope('NEARWIRETIMER');

/** As setTimeout, in no async context of the program's, and without keeping the process alive. */
export function startTimer<T>(callback: (argument: T) => void, milliseconds: number, argument: T): NodeJS.Timeout {
  return nobodys.runInAsyncScope(setTimeout, undefined, callback, milliseconds, argument).unref();
}

/**
 * Fires once when nothing has been read or written for `duration` milliseconds, and again only after new activity.
 *
 * node:http sets and clears a timeout twice per keep-alive request, so both are cheap: activity and re-setting only
 * record the time, clearing only records that, and the single underlying timer checks when it fires. As with node's
 * timers, `onIdle` runs in the async context of the last `set()`.
 */
export class IdleTimer {
  private duration = 0;
  private lastActivity = 0;
  /** When the underlying timer fires. */
  private due = 0;
  private timer: NodeJS.Timeout | undefined;
  private context: Scope | undefined;
  private readonly onIdle: () => void;
  private readonly movedAt: () => number;
  private readonly looksOn: boolean;
  /** The last activity for which `onIdle` has been called. */
  private told = -Infinity;

  /**
   * `movedAt` returns when bytes last moved for which `touch()` is not called, as of `now()`; -Infinity: never.
   * `looksOn`: such bytes may also move after `onIdle`, so it must keep checking for them.
   */
  constructor(onIdle: () => void, movedAt: () => number, looksOn = false) {
    this.onIdle = onIdle;
    this.movedAt = movedAt;
    this.looksOn = looksOn;
  }

  /** Restarts with this duration in milliseconds; 0 turns it off. */
  set(duration: number): void {
    this.leaveContext();
    this.duration = duration;
    if (duration === 0) return;
    this.context = new Scope('NEARWIRETIMEOUT');
    this.told = -Infinity;
    this.touch();
  }

  /** Something has been read or written. */
  touch(): void {
    if (this.duration === 0) return;
    this.lastActivity = loopTime();
    const deadline = this.lastActivity + this.duration;
    if (this.timer !== undefined && this.due <= deadline) return;
    this.arm(this.lastActivity, this.duration);
  }

  stop(): void {
    this.leaveContext();
    this.duration = 0;
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private leaveContext(): void {
    this.context?.end();
    this.context = undefined;
  }

  private arm(time: number, delay: number): void {
    clearTimeout(this.timer);
    this.due = time + delay;
    this.timer = startTimer(fire, delay, this);
  }

  /** Called by the underlying timer. */
  fire(): void {
    this.timer = undefined;
    if (this.duration === 0) return;
    const time = now();
    this.lastActivity = Math.max(this.lastActivity, this.movedAt());
    const left = this.lastActivity + this.duration - time;
    if (left >= TIMER_GRAIN) {
      this.arm(time, Math.ceil(left));
      return;
    }
    // Bytes that move after this are noticed before their own deadline.
    if (this.looksOn) this.arm(time, this.duration);
    if (this.lastActivity <= this.told) return;
    this.told = this.lastActivity;
    this.context?.run(this.onIdle);
  }
}

function fire(timer: IdleTimer): void {
  timer.fire();
}
