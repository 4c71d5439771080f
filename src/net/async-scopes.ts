/** The async contexts in which a socket's events and the callbacks of its writes run. */
import { AsyncResource } from 'node:async_hooks';
import { getEngine } from '../engine/thread-engine.js';
import type { WriteCallback } from '../node/stream-state.js';

/** How many exceptions have been reported in this thread. */
export let reports = 0;

/** Reports what a listener has thrown, in the async context of this call, as node does for its own callbacks. */
export function report(error: unknown): void {
  reports++;
  getEngine()?.native.reportException(error);
}

/**
 * An async context that lasts for as long as something native does. What throws in it is reported in it: who listens to
 * 'uncaughtException' finds the store, and a domain what its own listeners have thrown.
 */
export class Scope extends AsyncResource {
  private ended = false;

  constructor(type: string) {
    // The end is told of by `end()`; else the collector would have to watch each one.
    super(type, { requireManualDestroy: true });
  }

  run<A extends unknown[]>(call: (...args: A) => void, ...args: A): void {
    this.runInAsyncScope(callReported<A>, undefined, call, args);
  }

  /** Nothing new begins in it. Again does nothing. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.emitDestroy();
  }
}

function callReported<A extends unknown[]>(call: (...args: A) => void, args: A): void {
  try {
    call(...args);
  } catch (error) {
    report(error);
  }
}

/** The async context in which a socket's events run: that of its connect(), or none for an accepted one. */
export function socketScope(): Scope {
  return new Scope('NEARWIRESOCKET');
}

/** A callback that runs once, in the async context of the call that brought it. */
export class Waiter extends Scope {
  private readonly callback: WriteCallback;

  constructor(callback: WriteCallback) {
    super('NEARWIREWRITE');
    this.callback = callback;
  }

  call(error: Error | null): void {
    // As run(), which makes an array of its arguments.
    this.runInAsyncScope(callBack, undefined, this.callback, error);
    this.end();
  }
}

function callBack(callback: WriteCallback, error: Error | null): void {
  try {
    callback(error);
  } catch (thrown) {
    report(thrown);
  }
}

/** So many places of those that have left a queue are kept before the rest moves up. */
const MOST_EMPTY = 1024;

/** Waiters, oldest first: they are called in this order, whatever it is that they wait for. */
export class WaiterQueue {
  private items: (Waiter | undefined)[] = [];
  private head = 0;
  /** How many have left it, ever; and of how many, ever, the kernel has what they wait for. */
  private left = 0;
  private settled = 0;

  private get length(): number {
    return this.items.length - this.head;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  get first(): Waiter | undefined {
    return this.items[this.head];
  }

  push(waiter: Waiter): void {
    this.items.push(waiter);
  }

  /** The kernel has what those who stand here now wait for. */
  settle(): void {
    this.settled = this.left + this.length;
  }

  /** Calls those for whom that has been said. (A callback may turn the loop, and so have this called from within.) */
  callSettled(): void {
    const end = this.settled;
    while (this.left < end) this.shift()?.call(null);
  }

  /** Calls all that stand here now; `error` is for those of whose writes the kernel may not have all. */
  callAll(error: Error | null): void {
    const end = this.left + this.length;
    while (this.left < end) {
      const outcome = this.left < this.settled ? null : error;
      this.shift()?.call(outcome);
    }
  }

  private shift(): Waiter | undefined {
    const { items, head } = this;
    const waiter = items[head];
    items[head] = undefined;
    this.left++;
    if (++this.head === items.length) {
      items.length = 0;
      this.head = 0;
    } else if (this.head >= MOST_EMPTY && this.head * 2 >= items.length) {
      this.items = items.slice(this.head);
      this.head = 0;
    }
    return waiter;
  }
}
