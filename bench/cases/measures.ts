/** What cases measure, and how it comes from what is seen of a cell. What is not known is NaN, and left out. */
import { quantileOf } from '../histogram.js';
import type { Measure, Outcome } from '../model.js';

const MIB = 1024 * 1024;

/** How many a second, and what each costs the server. */
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

/** How many bytes a second, and what they cost whom. */
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

/** What it takes for each of so many connections or chunks. */
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
