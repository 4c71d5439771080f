import type { Change, Params, PeerCase } from '../model.js';

/** As many of them as a descriptor limit leaves room for: see `withinLimits` in plan.ts. */
const params: readonly Params[] = [{ connections: 10_000, bytes: 1048576 }];

const MS_A_SECOND = 1e3;

export const crowd: PeerCase = {
  kind: 'peers',
  name: 'crowd',
  title: 'node:http answers with a body that lies in memory, to connections that read it when all have asked for it',
  client: 'floor',
  plan: { default: { unix: params }, quick: { unix: params } },
  // Copies take more than 2 GB of memory, and a user is to have asked for that.
  onlyNamed: true,
  rounds: { default: 5, quick: 1 },
  warmup: { default: 0, quick: 0 },
  setupSeconds: 3,
  // Until all has been read, and no longer; this is how long it may take.
  fixedSeconds: 20,
  asksMemory: 'crowd',
  headline: 'system',
  measures: [
    {
      name: 'system',
      unit: 'bytes/connection',
      better: 'lower',
      meaning: 'memory of the machine a connection, with what the kernel holds',
    },
    { name: 'memory', unit: 'bytes/connection', better: 'lower', meaning: 'resident bytes of the server a connection' },
    {
      name: 'wait',
      unit: 'ms',
      better: 'lower',
      meaning: 'from the first connect until all connections have read all of it',
    },
  ],
  evaluate({ memory, system, setupMs, load, params: { connections } }) {
    if (!memory || !system || typeof connections !== 'number') throw new Error('nobody told the memory');
    const perConnection = ({ before, after }: Change): number => (after - before) / connections;
    return { system: perConnection(system), memory: perConnection(memory), wait: setupMs + load.seconds * MS_A_SECOND };
  },
};
