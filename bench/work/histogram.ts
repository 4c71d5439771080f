import type { Latency } from '../model.js';

/** 128 steps to an octave: a value is off by less than 1 %. */
const STEP_BITS = 7;
const STEPS = 1 << STEP_BITS;
const UINT32_MAX = 0xffff_ffff;
/** Octaves above the first 128 ns, up to the 4.29 s that fit into 32 bits of nanoseconds. */
const OCTAVES = 32 - STEP_BITS;

/** Latencies in log-linear steps, as HdrHistogram has them: recording costs no memory and no call out of JS. */
export class Histogram {
  private readonly counts = new Float64Array((OCTAVES + 1) * STEPS);
  private count = 0;
  private longest = 0;

  /** Takes a duration in milliseconds, as `performance.now()` differs. */
  record(milliseconds: number): void {
    const ns = Math.min(milliseconds * 1e6, UINT32_MAX) >>> 0;
    const octave = Math.max(0, 31 - Math.clz32(ns) - STEP_BITS);
    const step = octave * STEPS + (ns >>> octave);
    this.counts[step] = (this.counts[step] ?? 0) + 1;
    this.count++;
    if (milliseconds > this.longest) this.longest = milliseconds;
  }

  reset(): void {
    this.counts.fill(0);
    this.count = 0;
    this.longest = 0;
  }

  summary(): Latency {
    return {
      count: this.count,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      p999: this.quantile(0.999),
      max: this.longest * 1e3,
    };
  }

  /** Microseconds; the middle of the step that holds the value of this rank. */
  private quantile(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let step = 0; step < this.counts.length; step++) {
      seen += this.counts[step] ?? 0;
      if (seen >= rank) return middle(step) / 1e3;
    }
    return 0;
  }
}

/** Nanoseconds. Inverse of the step's number: above the first octave a step's low bits start at STEPS. */
function middle(step: number): number {
  if (step < STEPS) return step;
  const octave = (step >> STEP_BITS) - 1;
  const base = step - octave * STEPS;
  return (base + 0.5) * 2 ** octave;
}
