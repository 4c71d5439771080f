import { STEP_COUNT, stepOf, type LatencyHistogram } from '../histogram.js';

/** Takes latencies: recording costs no memory and no call out of JS. */
export class Histogram {
  private readonly counts = new Float64Array(STEP_COUNT);
  private count = 0;
  private longest = 0;

  /** Takes a duration in milliseconds, as `performance.now()` differs. */
  record(milliseconds: number): void {
    const step = stepOf(Math.trunc(milliseconds * 1e6));
    this.counts[step] = (this.counts[step] ?? 0) + 1;
    this.count++;
    if (milliseconds > this.longest) this.longest = milliseconds;
  }

  reset(): void {
    this.counts.fill(0);
    this.count = 0;
    this.longest = 0;
  }

  summary(): LatencyHistogram {
    const steps = Array.from(this.counts, (count, step) => [step, count] as const).filter(([, count]) => count > 0);
    return { count: this.count, max: this.longest * 1e3, steps };
  }
}
