import type { Params, PeerCase } from '../model.js';

/** As many of them as a descriptor limit leaves room for: see `withinLimits` in plan.ts. */
const params: readonly Params[] = [{ connections: 10_000 }];

export const idle: PeerCase = {
  kind: 'peers',
  name: 'idle',
  title: 'open connections that have spoken once and are silent',
  client: 'floor',
  words: { bytes: 64 },
  clientWords: ({ connections = 0 }) => ({ connections: 0, idle: connections }),
  plan: { default: { unix: params }, quick: { unix: params } },
  // Memory hardly varies, and 10,000 connections take a second to open.
  rounds: { default: 3, quick: 1 },
  warmup: { default: 0, quick: 0 },
  setupSeconds: 1.5,
  // Nothing happens in it: memory has been asked for by then.
  fixedSeconds: 0.05,
  asksMemory: 'connections',
  headline: 'memory',
  measures: [
    { name: 'memory', unit: 'bytes/connection', better: 'lower', meaning: 'resident bytes of the server a connection' },
  ],
  evaluate({ memory, params: { connections } }) {
    if (!memory || typeof connections !== 'number') throw new Error('the server told no memory');
    return { memory: (memory.after - memory.before) / connections };
  },
};
