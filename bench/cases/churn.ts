import type { PeerCase } from '../model.js';
import { cpu, operationsPerSecond, rate, serverCpuPerOperation } from './measures.js';

export const churn: PeerCase = {
  kind: 'peers',
  name: 'churn',
  title: 'connect, one 64 B exchange, close; 16 at a time',
  client: 'floor',
  words: { connections: 16 },
  plan: {
    default: { unix: [{ bytes: 64 }], tcp: [{ bytes: 64 }] },
    quick: { unix: [{ bytes: 64 }] },
  },
  warmup: { default: 1, quick: 0.5 },
  headline: 'cpu',
  measures: [rate('connections/s', 'connections served'), cpu('us/connection', 'CPU of the server a connection')],
  evaluate: (outcome) => ({ rate: operationsPerSecond(outcome), cpu: serverCpuPerOperation(outcome) }),
};
