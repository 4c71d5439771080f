/**
 * Latencies in log-linear steps, the same as in the plain C program (bench/floor/histogram.c): 128 per octave, so the
 * error of a value is below 0.4 %. Processes and rounds report their own histograms, which can be added up; percentiles
 * cannot.
 */

const STEP_BITS = 7;
const STEPS = 1 << STEP_BITS;
const TWO_TO_32 = 2 ** 32;
/** Up to 137 s. */
const STEP_COUNT = 31 * STEPS;

/** The non-empty steps, in order: the number of the step, and its count. */
export type Steps = readonly (readonly [step: number, count: number])[];

export interface LatencyHistogram {
  readonly count: number;
  /** Microseconds, exact. */
  readonly max: number;
  readonly steps: Steps;
}

/** The step of a duration in nanoseconds. */
function stepOf(nanoseconds: number): number {
  const high = nanoseconds / TWO_TO_32;
  const top = high >= 1 ? 63 - Math.clz32(high) : 31 - Math.clz32(nanoseconds);
  const octave = Math.max(0, top - STEP_BITS);
  return Math.min(STEP_COUNT - 1, octave * STEPS + Math.floor(nanoseconds / 2 ** octave));
}

/** The middle of a step, in nanoseconds. Above the first octave a step's low bits start at STEPS. */
export function middleOf(step: number): number {
  if (step < 2 * STEPS) return step;
  const octave = (step >> STEP_BITS) - 1;
  return (step - octave * STEPS + 0.5) * 2 ** octave;
}

/** Records latencies without allocating memory or calling out of JavaScript. */
export class Histogram {
  private readonly counts = new Float64Array(STEP_COUNT);
  private count = 0;
  private longest = 0;

  /** Records a duration in milliseconds, a difference of `performance.now()`. */
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

export function mergeHistograms(histograms: readonly LatencyHistogram[]): LatencyHistogram {
  const counts = new Map<number, number>();
  for (const { steps } of histograms) {
    for (const [step, count] of steps) counts.set(step, (counts.get(step) ?? 0) + count);
  }
  return {
    count: histograms.reduce((sum, { count }) => sum + count, 0),
    max: Math.max(0, ...histograms.map(({ max }) => max)),
    steps: [...counts].sort(([a], [b]) => a - b),
  };
}

/** Microseconds that this share of the values does not exceed; 0 if there are none. */
export function quantileOf({ count, max, steps }: LatencyHistogram, share: number): number {
  // Rounding can lift products such as 0.999 * 10000 above the whole number that they represent.
  const rank = Math.max(1, Math.ceil(share * count - 1e-6));
  let seen = 0;
  for (const [step, held] of steps) {
    seen += held;
    if (seen >= rank) return Math.min(middleOf(step) / 1e3, max);
  }
  return 0;
}

/** Each with the number of values that it requires: ten beyond it. */
export const PERCENTILES = [
  { name: 'p50', title: 'p50', share: 0.5, least: 20 },
  { name: 'p90', title: 'p90', share: 0.9, least: 100 },
  { name: 'p99', title: 'p99', share: 0.99, least: 1_000 },
  { name: 'p999', title: 'p99.9', share: 0.999, least: 10_000 },
  { name: 'p9999', title: 'p99.99', share: 0.9999, least: 100_000 },
] as const;

export type Percentile = (typeof PERCENTILES)[number];
export type PercentileName = Percentile['name'];

/** Microseconds; undefined if there are too few values. */
export function percentileOf(histogram: LatencyHistogram, { share, least }: Percentile): number | undefined {
  return histogram.count < least ? undefined : quantileOf(histogram, share);
}
