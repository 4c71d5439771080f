import type { Params, PeerCase } from '../model.js';
import { cpu, latencyOf, operationsPerSecond, P50, P99, rate, serverCpuPerOperation } from './measures.js';

/** All figures of the growth are told against this many connections. */
export const GROWTH_BASE = 16;

/** `idle` ones are open beside the others and silent. */
const params: readonly Params[] = [
  { connections: 1 },
  { connections: GROWTH_BASE },
  { connections: 256 },
  { connections: 4096 },
  { connections: 256, idle: 8192 },
];

export const growth: PeerCase = {
  kind: 'peers',
  name: 'growth',
  title: 'fanin over ever more connections',
  client: 'floor',
  words: { bytes: 64 },
  plan: { default: { unix: params }, quick: { unix: params } },
  // Some three minutes, for which a default run has no room.
  onlyNamed: true,
  // Thousands of connections are warm later than 64.
  warmup: { default: 0.5, quick: 0.3 },
  measures: [rate('messages/s', 'messages answered'), cpu('us/message', 'CPU of the server a message'), P50, P99],
  evaluate(outcome) {
    const { p50, p99 } = latencyOf(outcome);
    return { rate: operationsPerSecond(outcome), cpu: serverCpuPerOperation(outcome), p50, p99 };
  },
};
