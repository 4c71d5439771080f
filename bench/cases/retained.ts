import type { Change, Params, PeerCase } from '../model.js';

const params: readonly Params[] = [{ bytes: 100, chunks: 10_000 }];

export const retained: PeerCase = {
  kind: 'peers',
  name: 'retained',
  title: "10,000 received chunks of 100 B that are kept, each a message and a 'data' event of its own",
  client: 'subject',
  plan: { default: { unix: params }, quick: { unix: params } },
  rounds: { quick: 1 },
  // It warms up on as many chunks as it keeps, which are let go.
  warmup: { default: 0, quick: 0 },
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
