/** The measures of cases, computed from the outcome of a cell. Unknown values are NaN, and left out. */
import { quantileOf } from '../histogram.js';
import type { Measure, Outcome } from '../model.js';

const MIB = 1024 * 1024;

/** Operations per second, and the server's cost of each. */
export function rateAndCpu(noun: string, done: string): [Measure, Measure] {
  return [
    {
      ...{ name: 'rate', unit: `${noun}s/s`, better: 'higher', meaning: `${noun}s ${done}` },
      of: ({ load }) => load.operations / load.seconds,
    },
    {
      ...{ name: 'cpu', unit: `us/${noun}`, better: 'lower', meaning: `CPU of the server a ${noun}` },
      of: ({ load, serverCpu }) => serverCpu / load.operations,
    },
  ];
}

/** Bytes per second, and what they cost the given process. */
export function bytesAndCpu(done: string, who: string, cpuOf: (outcome: Outcome) => number): [Measure, Measure] {
  const bytesOf = ({ load: { bytes = NaN } }: Outcome): number => bytes;
  return [
    {
      ...{ name: 'rate', unit: 'bytes/s', better: 'higher', meaning: `bytes ${done}` },
      of: (outcome) => bytesOf(outcome) / outcome.load.seconds,
    },
    {
      ...{ name: 'cpu', unit: 'us/MiB', better: 'lower', meaning: `CPU of the ${who} a MiB` },
      of: (outcome) => cpuOf(outcome) / (bytesOf(outcome) / MIB),
    },
  ];
}

/** Memory per connection or chunk. */
export function grownBy(name: 'memory' | 'system' | 'held', noun: 'connection' | 'chunk', meaning: string): Measure {
  return {
    ...{ name, unit: `bytes/${noun}`, better: 'lower', meaning },
    of: ({ grown, params }) => (grown[name] ?? NaN) / Number(params[`${noun}s`]),
  };
}

export const P50: Measure = {
  ...{ name: 'p50', unit: 'us', better: 'lower', meaning: 'median latency' },
  of: ({ load: { latency } }) => (latency ? quantileOf(latency, 0.5) : NaN),
};

export const P99: Measure = {
  ...{ name: 'p99', unit: 'us', better: 'lower', meaning: '99th percentile of the latency' },
  of: ({ load: { latency } }) => (latency ? quantileOf(latency, 0.99) : NaN),
};
