/**
 * Connects that wait for room in the accept queue of a UNIX listener.
 *
 * Linux refuses a connect to a full queue with EAGAIN at once, and no event reports when there is room again. So all
 * connects to one path wait in one queue. Only the first of them retries, from time to time, and each success lets the
 * next one try. A newcomer does not try before it is first, and a place is removed as soon as its socket is closed.
 *
 * States of a place: trying (none is before it) -> in queue -> settled, or timed out at its deadline.
 */
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

/** Milliseconds. A server that accepts in batches makes room well within the first. */
const FIRST_REST = 1;
/**
 * The pause between attempts doubles up to this. It bounds both the cost of a stopped server (50 calls a second for each
 * path) and the delay once the server continues.
 */
const LONGEST_REST = 20;
/** Attempts in a row: a listener that always has room must not starve the rest of the event loop. */
const ATTEMPTS_PER_ROUND = 256;

/**
 * The outcome of an attempt. `full`: the queue still is. `settled`: it has succeeded or failed, and reports that by
 * itself.
 */
export type Outcome = 'full' | 'settled';

/** A connect that may have to wait. Neither method may call user code before it returns. */
export interface Connecting {
  tryOnce(): Outcome;
  /** The deadline has passed. `waited` is in milliseconds. */
  giveUp(waited: number): void;
}

/** Counters of connects to UNIX sockets with a full accept queue; all but `waiting` are totals. */
export interface ConnectStats {
  /** Connects that found a full queue and waited, and those that are waiting now. */
  waited: number;
  /** Connects that wait now. */
  waiting: number;
  /** Attempts made for them after the first. */
  retries: number;
  /** Those that found no room before their deadline. */
  timedOut: number;
}

const totals: ConnectStats = { waited: 0, waiting: 0, retries: 0, timedOut: 0 };

/** The counters of this thread's native transport. */
export function connectStats(): ConnectStats {
  return { ...totals };
}

const queues = new Map<string, ConnectQueue>();

class ConnectQueue {
  private readonly places = new Set<QueuedConnect>();
  private rest = FIRST_REST;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly path: string) {}

  join(place: QueuedConnect): void {
    this.places.add(place);
    if (this.timer === undefined) this.schedule();
  }

  remove(place: QueuedConnect): void {
    this.places.delete(place);
    if (this.places.size > 0) return;
    clearTimeout(this.timer);
    queues.delete(this.path);
  }

  private lengthenRest(): void {
    this.schedule();
    this.rest = Math.min(this.rest * 2, LONGEST_REST);
  }

  /** With jitter: other processes may wait for the same listener. */
  private schedule(): void {
    // The deadlines keep the process alive, for those sockets that should.
    this.timer = setTimeout(this.onTimer, this.rest * (0.5 + Math.random())).unref();
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    this.round();
  };

  private round(): void {
    for (let left = ATTEMPTS_PER_ROUND; left > 0; left--) {
      const [first] = this.places;
      if (first === undefined) return;
      if (first.retry() === 'full') {
        this.lengthenRest();
        return;
      }
      this.rest = FIRST_REST;
      first.leave();
    }
    this.schedule();
  }
}

/** Whether connects wait for this path: a new one must queue behind them. */
export function hasQueue(path: string): boolean {
  return queues.has(path);
}

/** One connect's place in the queue. */
export class QueuedConnect {
  private queue: ConnectQueue | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private since = 0;
  private hasRef = true;
  private left = false;

  constructor(
    private readonly path: string,
    private readonly timeout: number,
    private readonly connecting: Connecting,
  ) {}

  /** Goes to the end of the queue. */
  wait(): void {
    totals.waited++;
    totals.waiting++;
    this.since = performance.now();
    this.deadline = setTimeout(this.onDeadline, this.timeout);
    if (!this.hasRef) this.deadline.unref();
    let queue = queues.get(this.path);
    if (queue === undefined) queues.set(this.path, (queue = new ConnectQueue(this.path)));
    this.queue = queue;
    queue.join(this);
  }

  /** @internal Called by its queue. */
  retry(): Outcome {
    totals.retries++;
    return this.connecting.tryOnce();
  }

  /** Whether waiting keeps the process alive. Default: it does. */
  setRef(on: boolean): void {
    this.hasRef = on;
    if (on) this.deadline?.ref();
    else this.deadline?.unref();
  }

  leave(): void {
    if (this.left) return;
    this.left = true;
    this.leaveQueue();
    if (this.deadline === undefined) return;
    clearTimeout(this.deadline);
    totals.waiting--;
  }

  private leaveQueue(): void {
    const { queue } = this;
    this.queue = undefined;
    queue?.remove(this);
  }

  /** One last attempt, out of order: the event loop may have been blocked the whole time, and the queue empty since. */
  private readonly onDeadline = (): void => {
    // Its queue must not retry it as well.
    this.leaveQueue();
    const outcome = this.retry();
    this.leave();
    if (outcome === 'settled') return;
    totals.timedOut++;
    this.connecting.giveUp(performance.now() - this.since);
  };
}
