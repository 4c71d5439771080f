import type { PeerCase } from '../model.js';
import { latencyOf, P50, P99 } from './measures.js';

export const rtt: PeerCase = {
  kind: 'peers',
  name: 'rtt',
  title: 'round trip, one message outstanding on one connection, both ends on one core',
  client: 'subject',
  // One end sleeps while the other works. On two cores, each message waits for an idle core to wake: 20 us and more in
  // a virtual machine, whatever the transport, and only in those runs in which the scheduler keeps them apart.
  sharesCore: true,
  plan: {
    default: { unix: [{ bytes: 64 }, { bytes: 4096 }, { bytes: 65536 }], tcp: [{ bytes: 64 }] },
    quick: { unix: [{ bytes: 64 }], tcp: [{ bytes: 64 }] },
  },
  warmup: { default: 0.15, quick: 0.1 },
  headline: 'p50',
  measures: [P50, P99],
  evaluate(outcome) {
    const { p50, p99 } = latencyOf(outcome);
    return { p50, p99 };
  },
};
