/** The loop of bulk, apart from what carries the bytes: write until the transport says stop, go on when it has room. */
import type { Load } from './control.js';

type PhaseResult = Awaited<ReturnType<Load['phase']>>;

/**
 * Bytes written in one go while the transport keeps taking them. Enough to keep its buffers full, little enough for
 * the loop to turn and the clock to be looked at.
 */
const BATCH_BYTES = 1024 * 1024;

export class BulkSender implements Load {
  private readonly bytes: number;
  /** Writes one block; false: wait for `drained()`. */
  private readonly write: () => boolean;
  private readonly batch: number;
  private operations = 0;
  private startedAt = 0;
  private endsAt = 0;
  private settle: ((result: PhaseResult) => void) | undefined;

  constructor(bytes: number, write: () => boolean) {
    this.bytes = bytes;
    this.write = write;
    this.batch = Math.max(1, Math.floor(BATCH_BYTES / bytes));
  }

  phase(seconds: number): Promise<PhaseResult> {
    return new Promise((resolve) => {
      this.settle = resolve;
      this.operations = 0;
      this.startedAt = performance.now();
      this.endsAt = this.startedAt + seconds * 1e3;
      this.drained();
    });
  }

  /** The transport has room again. */
  readonly drained = (): void => {
    const now = performance.now();
    if (now >= this.endsAt) {
      const { operations } = this;
      this.settle?.({ seconds: (now - this.startedAt) / 1e3, operations, bytes: operations * this.bytes });
      return;
    }
    for (let left = this.batch; left > 0; left--) {
      this.operations++;
      if (!this.write()) return;
    }
    setImmediate(this.drained);
  };
}
