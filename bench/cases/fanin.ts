import type { PeerCase } from '../model.js';
import { cpu, latencyOf, operationsPerSecond, P99, rate, serverCpuPerOperation } from './measures.js';

export const fanin: PeerCase = {
  kind: 'peers',
  name: 'fanin',
  title: 'many connections, one 64 B message outstanding on each',
  client: 'floor',
  words: { bytes: 64 },
  plan: {
    default: { unix: [{ connections: 64 }], tcp: [{ connections: 64 }] },
    quick: { unix: [{ connections: 64 }] },
  },
  warmup: { default: 0.2, quick: 0.15 },
  headline: 'cpu',
  measures: [rate('messages/s', 'messages answered'), cpu('us/message', 'CPU of the server a message'), P99],
  evaluate: (outcome) => ({
    rate: operationsPerSecond(outcome),
    cpu: serverCpuPerOperation(outcome),
    p99: latencyOf(outcome).p99,
  }),
};
