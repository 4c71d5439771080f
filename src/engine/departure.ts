/**
 * When a write leaves: the only place where that is decided.
 *
 * node:net hands a write to the kernel on each call of `write()`. Gathering the writes of several handlers saves
 * crossings of the JavaScript/native boundary and wakes readers less often. But a gathered write waits for other code,
 * which may compute for long. So:
 *
 * 1. Outside a turn (a timer, a promise, a callback of another module) a socket's first write of a tick leaves at once.
 *    Its further writes in the same tick are gathered until the tick ends. Corked writes count as one write.
 * 2. In a turn of one event no other handler can delay the write: a socket's first write leaves at once. There are two
 *    exceptions, in which the flush after the handler sends it: the socket wrote more than once the last time, or the
 *    last `TRUSTED_AFTER` handlers were all short (that saves a crossing, 4 % of a round trip). Further writes are
 *    gathered until the handler and its ticks have run.
 * 3. In a turn of several events, writes are gathered while their handlers run. If any are waiting, the clock is read
 *    before the next handler is called: once `PATIENCE` has passed since the turn began, or since the last hand-over,
 *    they leave. A flush follows the last handler.
 * 4. No clock can look into a handler that first writes and then computes. Handlers are expected to behave as recent
 *    ones did: when two within `MEMORY` writing handlers (or ticks) have run for longer than `PATIENCE`, every write
 *    leaves at once (only the first ones of a handler that writes much: MOST_PROMPT), until `PROMPT_FOR` handlers have
 *    passed without that happening again. A single long one is taken for a garbage collection. Two kinds of long
 *    handler are not counted: one during which the kernel descheduled the process, and one whose writes have left
 *    because of their size or number.
 * 5. Writes larger than COPY_LIMIT, `flush()`, a full arena, many small writes to one socket (EARLY_WRITES), and writes
 *    during process exit leave at once in any case.
 */

/** Milliseconds of running code that a write may wait for: five times what a small handler takes. */
export const PATIENCE = 0.05;
/** Two long handlers among this many make writes leave at once; this detects rates above one in a hundred quickly. */
const MEMORY = 64;
const PROMPT_FOR = 256;
const TRUSTED_AFTER = 256;

/** How long the code that writes has recently run. */
export class HandlerTimes {
  /** Every write leaves at once. */
  prompt = false;
  /** Enough handlers in a row were short to expect that of the next one. */
  trusted = false;
  /** Milliseconds of the current handler that were spent on sending, while writes leave at once. */
  sending = 0;
  private sinceLong = MEMORY;
  private promptLeft = 0;
  private forever = false;
  private readonly wasPreempted: () => boolean;

  /** `wasPreempted`: whether the process was descheduled since the last call. */
  constructor(wasPreempted: () => boolean) {
    this.wasPreempted = wasPreempted;
  }

  /** A handler or tick that wrote has ended. */
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

  /** From now on no write waits: there may be no later moment. */
  end(): void {
    this.prompt = this.forever = true;
  }
}
