/** The client of storm, apart from what carries the bytes: all connects in one tick, each with one exchange. */
import type { Load } from './control.js';
import { Histogram } from '../histogram.js';

type PhaseResult = Awaited<ReturnType<Load['phase']>>;

/** A connect that has had no answer by now counts as failed: any listener that still accepts has come round to it. */
const PATIENCE_MS = 8_000;

/** How one connect is told to have ended; whatever comes after the first word of it is ignored. */
export interface Attempt {
  answered(): void;
  failed(): void;
}

export class Storm implements Load {
  private readonly connections: number;
  private readonly open: (attempt: Attempt) => void;

  constructor(connections: number, open: (attempt: Attempt) => void) {
    this.connections = connections;
    this.open = open;
  }

  /** It takes what time it takes. */
  async phase(): Promise<PhaseResult> {
    const waits = new Histogram();
    const startedAt = performance.now();
    let failed = 0;
    await new Promise<void>((resolve) => {
      let left = this.connections;
      const timer = setTimeout(() => {
        failed += left;
        resolve();
      }, PATIENCE_MS);
      const attempt = (): Attempt => {
        let open = true;
        const end = (): boolean => {
          if (!open) return false;
          open = false;
          if (--left === 0) {
            clearTimeout(timer);
            resolve();
          }
          return true;
        };
        return {
          answered() {
            if (end()) waits.record(performance.now() - startedAt);
          },
          failed() {
            if (end()) failed++;
          },
        };
      };
      for (let i = 0; i < this.connections; i++) this.open(attempt());
    });
    const latency = waits.summary();
    return { seconds: (performance.now() - startedAt) / 1e3, operations: latency.count, latency, failed };
  }
}
