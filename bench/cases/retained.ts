import type { Change, Params, PeerCase } from '../model.js';

/** All chunks that come are kept, or one of many: a last message of each kind, the rest of one that is not yet whole. */
const params: readonly Params[] = [
  { bytes: 100, chunks: 10_000 },
  { bytes: 100, chunks: 1000, every: 64 },
  { bytes: 100, chunks: 200, every: 512 },
];

export const retained: PeerCase = {
  kind: 'peers',
  name: 'retained',
  title: "received chunks of 100 B that are kept, all of them or one of many, each a 'data' event of its own",
  client: 'subject',
  words: { connections: 16 },
  plan: { default: { unix: params }, quick: { unix: params } },
  // Memory hardly varies, and a hundred thousand messages take a second.
  rounds: { default: 3, quick: 1 },
  // It warms up on chunks that are let go.
  warmup: { default: 0, quick: 0 },
  setupSeconds: 0.8,
  // So many messages, whatever time they take.
  fixedSeconds: 0,
  asksMemory: 'stretch',
  headline: 'held',
  measures: [
    {
      name: 'held',
      unit: 'bytes/chunk',
      better: 'lower',
      meaning: 'bytes a chunk, on the heap of V8 and outside of it',
    },
    { name: 'memory', unit: 'bytes/chunk', better: 'lower', meaning: 'resident bytes of the server a chunk' },
  ],
  evaluate({ memory, held, params: { chunks } }) {
    if (!memory || !held || typeof chunks !== 'number') throw new Error('the server told no memory');
    const perChunk = ({ before, after }: Change): number => (after - before) / chunks;
    return { held: perChunk(held), memory: perChunk(memory) };
  },
};
