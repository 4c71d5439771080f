import type { PeerCase } from '../model.js';
import { bytesOf, cpu, MIB, rate } from './measures.js';

export const bulk: PeerCase = {
  kind: 'peers',
  name: 'bulk',
  title: 'one way, as fast as backpressure allows',
  client: 'subject',
  plan: {
    default: { unix: [{ bytes: 4096 }, { bytes: 65536 }, { bytes: 1048576 }], tcp: [{ bytes: 65536 }] },
    quick: { unix: [{ bytes: 4096 }, { bytes: 1048576 }] },
  },
  warmup: { default: 0.15, quick: 0.1 },
  headline: 'rate',
  measures: [rate('bytes/s', 'bytes handed over'), cpu('us/MiB', 'CPU of the sender a MiB')],
  evaluate: (outcome) => ({
    rate: bytesOf(outcome) / outcome.load.seconds,
    cpu: outcome.load.clientCpu / (bytesOf(outcome) / MIB),
  }),
};
