/** The idle timeout of a socket. */
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

/** Less than this is left when a timer fires early: the loop counts whole milliseconds. */
const TIMER_GRAIN = 1;

const now = performance.now.bind(performance);

/**
 * Fires once when nothing has been read or written for `duration` milliseconds, and again only after new activity.
 *
 * Activity, which is frequent, only notes the time; the timer underneath finds out when it fires. Each `set()` makes a
 * timer of its own, as node's `setTimeout()` does: so `onIdle` runs in the async context of who set it last, and nothing
 * keeps the context of who did so before.
 */
export class IdleTimer {
  private duration = 0;
  private lastActivity = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly onIdle: () => void;
  private readonly unseen: () => number;

  /** `unseen`: milliseconds since bytes last moved that `touch()` is not called for. */
  constructor(onIdle: () => void, unseen: () => number) {
    this.onIdle = onIdle;
    this.unseen = unseen;
  }

  /** Starts anew with this duration in milliseconds; 0 turns it off. */
  set(duration: number): void {
    this.stop();
    this.duration = duration;
    this.touch();
  }

  /** Something has been read or written. */
  touch(): void {
    if (this.duration === 0) return;
    this.lastActivity = now();
    if (this.timer === undefined) this.arm(this.duration);
  }

  stop(): void {
    this.duration = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private arm(delay: number): void {
    // A socket's timeout keeps no process alive.
    this.timer = setTimeout(fire, delay, this).unref();
  }

  /** Called by the timer, in whose async context a next one is made. */
  fire(): void {
    this.timer = undefined;
    if (this.duration === 0) return;
    const time = now();
    this.lastActivity = Math.max(this.lastActivity, time - this.unseen());
    const left = this.lastActivity + this.duration - time;
    if (left >= TIMER_GRAIN) this.arm(Math.ceil(left));
    else this.onIdle();
  }
}

function fire(timer: IdleTimer): void {
  timer.fire();
}
