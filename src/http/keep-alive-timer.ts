/**
 * Ends a connection on which no request has come for the server's `keepAliveTimeout`.
 *
 * It begins after each response and stops with the next request, so both only record it: the one timer underneath looks
 * when it fires.
 */
import { clearTimeout } from 'node:timers';
import { loopTime } from '../engine/thread-engine.js';
import { now } from '../engine/clock.js';
import { startTimer } from '../net/idle-timer.js';

/** Less than this is left when a timer fires early: the loop counts whole milliseconds. */
const TIMER_GRAIN = 1;

interface Resting {
  /** It has rested for that long. */
  onIdle(): void;
}

export class KeepAliveTimer {
  isRunning = false;
  private readonly connection: Resting;
  /** When it is over. */
  private deadline = 0;
  /** When the timer underneath fires. */
  private due = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(connection: Resting) {
    this.connection = connection;
  }

  begin(milliseconds: number): void {
    const time = loopTime();
    this.isRunning = true;
    this.deadline = time + milliseconds;
    if (this.timer === undefined || this.deadline < this.due) this.arm(time, milliseconds);
  }

  stop(): void {
    this.isRunning = false;
  }

  /** For good. */
  end(): void {
    this.isRunning = false;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private arm(time: number, milliseconds: number): void {
    clearTimeout(this.timer);
    this.due = time + milliseconds;
    this.timer = startTimer(fire, milliseconds, this);
  }

  fire(): void {
    this.timer = undefined;
    if (!this.isRunning) return;
    const time = now();
    const left = this.deadline - time;
    if (left >= TIMER_GRAIN) {
      this.arm(time, Math.ceil(left));
      return;
    }
    this.isRunning = false;
    this.connection.onIdle();
  }
}

function fire(timer: KeepAliveTimer): void {
  timer.fire();
}
