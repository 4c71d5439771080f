import type { PeerCase } from '../model.js';
import { bytesOf, cpu, MIB, rate } from './measures.js';

export const relay: PeerCase = {
  kind: 'peers',
  name: 'relay',
  title: 'what comes on one connection goes out on another, 4 pairs of them',
  client: 'floor',
  words: { connections: 8 },
  plan: { default: { unix: [{ bytes: 65536 }] }, quick: { unix: [{ bytes: 65536 }] } },
  rounds: { quick: 2 },
  warmup: { default: 0.5, quick: 0.3 },
  headline: 'cpu',
  measures: [rate('bytes/s', 'bytes passed on'), cpu('us/MiB', 'CPU of the relay a MiB')],
  evaluate: (outcome) => ({
    rate: bytesOf(outcome) / outcome.load.seconds,
    cpu: outcome.serverCpu / (bytesOf(outcome) / MIB),
  }),
};
