/** Measures that several cases share, and how a client's result becomes their values. */
import { quantileOf } from '../histogram.js';
import type { Measure, Outcome } from '../model.js';

export const MIB = 1024 * 1024;

export function rate(unit: string, meaning: string): Measure {
  return { name: 'rate', unit, better: 'higher', meaning };
}

export function cpu(unit: string, meaning: string): Measure {
  return { name: 'cpu', unit, better: 'lower', meaning };
}

export const P50: Measure = { name: 'p50', unit: 'us', better: 'lower', meaning: 'median latency' };
export const P99: Measure = { name: 'p99', unit: 'us', better: 'lower', meaning: '99th percentile of the latency' };

export function operationsPerSecond({ load }: Outcome): number {
  return load.operations / load.seconds;
}

export function serverCpuPerOperation({ load, serverCpu }: Outcome): number {
  return serverCpu / load.operations;
}

/** Microseconds. */
export function latencyOf({ load: { latency } }: Outcome): Readonly<Record<'p50' | 'p99' | 'max', number>> {
  if (!latency) throw new Error('the client told no latency');
  return { p50: quantileOf(latency, 0.5), p99: quantileOf(latency, 0.99), max: latency.max };
}

export function bytesOf({ load }: Outcome): number {
  if (load.bytes === undefined) throw new Error('the client told no number of bytes');
  return load.bytes;
}
