/** The idle timeout of a socket. */
import { clearTimeout, setTimeout } from 'node:timers';
import { now } from '../engine/clock.js';
import { loopTime } from '../engine/thread-engine.js';
import { Scope } from './async-scopes.js';

/** A timer fires early by less than this, as the event loop counts whole milliseconds. */
const TIMER_GRAIN = 1;

/** The underlying timers are created in this context, so that none keeps the context of the first caller alive. */
const nobodys = new Scope('NEARWIRETIMER');

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
  private readonly unseen: () => number;

  /** `unseen`: milliseconds since the last transfer for which `touch()` is not called. */
  constructor(onIdle: () => void, unseen: () => number) {
    this.onIdle = onIdle;
    this.unseen = unseen;
  }

  /** Restarts with this duration in milliseconds; 0 turns it off. */
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
    // A socket's timeout does not keep the process alive.
    this.timer = nobodys.runInAsyncScope(setTimeout, undefined, fire, delay, this).unref();
  }

  /** Called by the underlying timer. */
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
