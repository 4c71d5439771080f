/**
 * When a write leaves: the one place where that is decided.
 *
 * Handing a write to the kernel for each call of `write()` is what node:net does. To gather the writes of several
 * handlers and hand them over together saves a crossing of the border for each, and wakes readers less often; but what
 * waits, waits for code that may compute. So:
 *
 * 1. Outside a turn (a timer, a promise, a callback of another module) a socket's first write of a tick leaves at once.
 *    What the same socket writes in the same tick after it is gathered until the tick's end. What was corked is one write.
 * 2. In a turn of one event there is nobody else to wait for: a socket's first write in it leaves at once, unless it wrote
 *    more than once the last time, or the last `TRUSTED_AFTER` handlers were all short (then it saves a crossing, 4 % of a
 *    round trip, to have the flush behind the handler send it). What it writes after it is gathered until its handler, and the
 *    ticks, are through.
 * 3. In a turn of several events, while their handlers run, writes are gathered. Before the next handler is called the clock
 *    is looked at, if something waits: once `PATIENCE` has passed since the turn began, or since what waited was last handed
 *    over, it leaves. A flush follows the last handler.
 * 4. No clock can look into a handler that writes first and computes then. Handlers are expected to be as the last ones
 *    were: when two within `MEMORY` writing handlers (or ticks) have run for longer than `PATIENCE`, every write leaves
 *    at once (of a handler that writes much the first ones: MOST_PROMPT), until `PROMPT_FOR` of them have passed without
 *    that happening again. One alone is taken for a collection of garbage; one in which the kernel gave the processor to
 *    somebody else is not counted, nor one whose writes have left by their size or number.
 * 5. What is larger than COPY_LIMIT, `flush()`, a full arena, many small writes to one socket (EARLY_WRITES), and whatever
 *    is written when the process exits leave at once in any case.
 */

/** Milliseconds of running code for which a write may wait: what a small handler takes five times over. */
export const PATIENCE = 0.05;
/** Two long ones among so many make writes leave at once: more than one in a hundred is found by this soon. */
const MEMORY = 64;
const PROMPT_FOR = 256;
const TRUSTED_AFTER = 256;

/** How long the code that writes has lately run. */
export class HandlerTimes {
  /** Every write is to leave at once. */
  prompt = false;
  /** Handlers have been short for so long that the next will be, too. */
  trusted = false;
  /** Milliseconds of the handler under way in which its writes were being sent, while they leave at once. */
  sending = 0;
  private sinceLong = MEMORY;
  private promptLeft = 0;
  private forever = false;
  private readonly wasPreempted: () => boolean;

  /** `wasPreempted`: whether the time since it was last asked is not all the program's own. */
  constructor(wasPreempted: () => boolean) {
    this.wasPreempted = wasPreempted;
  }

  /** A handler, or a tick, that wrote has come to its end. */
  note(milliseconds: number): void {
    const own = milliseconds - this.sending;
    if (own > PATIENCE && !this.wasPreempted()) this.noteLong();
    else this.noteShort();
  }

  noteShort(): void {
    this.sending = 0;
    this.trusted = ++this.sinceLong > TRUSTED_AFTER;
    if (this.prompt && --this.promptLeft <= 0) this.prompt = this.forever;
  }

  noteLong(): void {
    this.sending = 0;
    this.trusted = false;
    if (this.sinceLong < MEMORY) {
      this.prompt = true;
      this.promptLeft = PROMPT_FOR;
    }
    this.sinceLong = 0;
  }

  /** From now on nothing waits: there may be no later moment. */
  end(): void {
    this.prompt = this.forever = true;
  }
}
