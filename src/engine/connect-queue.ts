/**
 * Connects that wait for room in the queue of a UNIX listener.
 *
 * Linux refuses a connect to a full queue with EAGAIN at once, and no event says when there is room again. So all that
 * wait for one path stand in one queue: only the first of them asks, now and then, and where it gets in the next one
 * follows. Who comes later does not ask before its turn, and a place is given up as soon as its socket is closed.
 *
 * States of a place: trying (nobody is before it) -> in queue -> settled, or given up at its deadline.
 */
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

/** Milliseconds. A server that accepts in batches makes room well within the first. */
const FIRST_REST = 1;
/**
 * Rests double up to this: what a server that has stopped costs its clients (50 calls a second for each path), and what
 * they lose at the most when it goes on.
 */
const LONGEST_REST = 20;
/** Attempts in a row: a listener that always has room must not starve the rest of the loop. */
const ATTEMPTS_PER_ROUND = 256;

/** What came of an attempt. `full`: the queue still is. `settled`: it has succeeded or failed, and tells so by itself. */
export type Outcome = 'full' | 'settled';

/** A connect that may have to wait. Neither method may call user code before it returns. */
export interface Connecting {
  tryOnce(): Outcome;
  /** The time is over. `waited` is in milliseconds. */
  giveUp(waited: number): void;
}

/** What connects to UNIX sockets with a full queue have come to; all but `waiting` are totals. */
export interface ConnectStats {
  /** Connects that found a full queue and waited, and those that wait now. */
  waited: number;
  /** Connects that wait now. */
  waiting: number;
  /** Attempts made for them after the first. */
  retries: number;
  /** Those that got no room by their deadline. */
  timedOut: number;
}

const totals: ConnectStats = { waited: 0, waiting: 0, retries: 0, timedOut: 0 };

/** Of this thread's native transport. */
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

  /** With jitter: other processes wait for the same listener. */
  private schedule(): void {
    // The deadlines keep the process alive, for those sockets that are to.
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

/** Whether somebody waits for this path: who comes now goes behind. */
export function hasQueue(path: string): boolean {
  return queues.has(path);
}

/** Where one connect stands. */
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

  /** @internal For its queue. */
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

  /** One last attempt, out of turn: the loop may have been busy for as long, and the queue empty since. */
  private readonly onDeadline = (): void => {
    // Its queue must not ask for it as well.
    this.leaveQueue();
    const outcome = this.retry();
    this.leave();
    if (outcome === 'settled') return;
    totals.timedOut++;
    this.connecting.giveUp(performance.now() - this.since);
  };
}
