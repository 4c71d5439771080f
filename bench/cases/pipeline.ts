import type { PeerCase } from '../model.js';
import { cpu, operationsPerSecond, rate, serverCpuPerOperation } from './measures.js';

export const pipeline: PeerCase = {
  kind: 'peers',
  name: 'pipeline',
  title: '256 messages outstanding on one connection, one write call each',
  client: 'subject',
  plan: {
    default: { unix: [{ bytes: 64, window: 256 }], tcp: [{ bytes: 64, window: 256 }] },
    quick: { unix: [{ bytes: 64, window: 256 }] },
  },
  warmup: { default: 0.25, quick: 0.15 },
  headline: 'rate',
  measures: [rate('messages/s', 'messages answered'), cpu('us/message', 'CPU of the server a message')],
  evaluate: (outcome) => ({ rate: operationsPerSecond(outcome), cpu: serverCpuPerOperation(outcome) }),
};
