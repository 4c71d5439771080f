/** The async contexts in which a socket's events and the callbacks of its writes run. */
import { AsyncResource } from 'node:async_hooks';
import { getEngine } from '../engine/thread-engine.js';
import type { WriteCallback } from '../node/stream-state.js';

/** The number of exceptions reported in this thread. */
export let reports = 0;

/** Reports a listener's exception in the async context of this call, as node does for its own callbacks. */
export function report(error: unknown): void {
  reports++;
  getEngine()?.native.reportException(error);
}

/**
 * An async context that lives as long as a native object. Exceptions are reported inside it, so that
 * 'uncaughtException' listeners find its store, and a domain gets what its own listeners threw.
 */
export class Scope extends AsyncResource {
  private ended = false;

  constructor(type: string) {
    // `end()` emits the destroy event; otherwise the garbage collector would have to track each one.
    super(type, { requireManualDestroy: true });
  }

  run<A extends unknown[]>(call: (...args: A) => void, ...args: A): void {
    this.runInAsyncScope(callReported<A>, undefined, call, args);
  }

  /** As run(), but without an array of arguments. Returns what the call returns, or true if it throws. */
  runWith<A, B, C>(call: (a: A, b: B, c: C) => boolean, a: A, b: B, c: C): boolean {
    return this.runInAsyncScope(callReportedWith<A, B, C>, undefined, call, a, b, c);
  }

  /** Nothing new begins in it. Further calls do nothing. */
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

function callReportedWith<A, B, C>(call: (a: A, b: B, c: C) => boolean, a: A, b: B, c: C): boolean {
  try {
    return call(a, b, c);
  } catch (error) {
    report(error);
    return true;
  }
}

/** The async context in which a socket's events run: that of its connect(), or none for an accepted socket. */
export function socketScope(): Scope {
  return new Scope('NEARWIRESOCKET');
}

/** A callback that runs once, in the async context of the call that passed it. */
export class Waiter extends Scope {
  private readonly callback: WriteCallback;

  constructor(callback: WriteCallback) {
    super('NEARWIREWRITE');
    this.callback = callback;
  }

  call(error: Error | null): void {
    // As run(), but without an array of arguments.
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

/** The number of empty slots at the start of a queue before the rest is moved up. */
const MOST_EMPTY = 1024;

/** Waiters, oldest first. They are called in this order, whatever they wait for. */
export class WaiterQueue {
  private items: (Waiter | undefined)[] = [];
  private head = 0;
  /** The total number that have left the queue; and the total number whose data the kernel has taken. */
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

  /** The kernel has taken the data of all current waiters. */
  settle(): void {
    this.settled = this.left + this.length;
  }

  /** Calls the settled waiters. (A callback may run the event loop, and thereby call this again.) */
  callSettled(): void {
    const end = this.settled;
    while (this.left < end) this.shift()?.call(null);
  }

  /** Calls all current waiters; those not settled get `error`, as the kernel may not have all of their data. */
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
