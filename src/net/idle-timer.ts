/** The idle timeout of a socket. */
import { clearTimeout, setTimeout } from 'node:timers';
import { now } from '../engine/clock.js';
import { loopTime } from '../engine/thread-engine.js';
import { Scope } from './async-scopes.js';

/** Less than this is left when a timer fires early: the loop counts whole milliseconds. */
const TIMER_GRAIN = 1;

/** Where the timers underneath are made, so that none keeps the context of whoever set a timeout first. */
const nobodys = new Scope('NEARWIRETIMER');

/**
 * Fires once when nothing has been read or written for `duration` milliseconds, and again only after new activity.
 *
 * node:http sets and clears a timeout twice for each keep-alive request, so both are made cheap: activity and re-setting
 * only note the time, clearing only notes that, and the one timer underneath finds out when it fires. As from a timer of
 * node's, `onIdle` runs in the async context of who set it last.
 */
export class IdleTimer {
  private duration = 0;
  private lastActivity = 0;
  /** When the timer underneath fires. */
  private due = 0;
  private timer: NodeJS.Timeout | undefined;
  private context: Scope | undefined;
  private readonly onIdle: () => void;
  private readonly unseen: () => number;

  /** `unseen`: milliseconds since bytes last moved that `touch()` is not called for. */
  constructor(onIdle: () => void, unseen: () => number) {
    this.onIdle = onIdle;
    this.unseen = unseen;
  }

  /** Starts anew with this duration in milliseconds; 0 turns it off. */
  set(duration: number): void {
    this.leaveContext();
    this.duration = duration;
    if (duration === 0) return;
    this.context = new Scope('NEARWIRETIMEOUT');
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
    // A socket's timeout keeps no process alive.
    this.timer = nobodys.runInAsyncScope(setTimeout, undefined, fire, delay, this).unref();
  }

  /** Called by the timer. */
  fire(): void {
    this.timer = undefined;
    if (this.duration === 0) return;
    const time = now();
    this.lastActivity = Math.max(this.lastActivity, time - this.unseen());
    const left = this.lastActivity + this.duration - time;
    if (left >= TIMER_GRAIN) this.arm(time, Math.ceil(left));
    else this.context?.run(this.onIdle);
  }
}

function fire(timer: IdleTimer): void {
  timer.fire();
}
