import type { Params, PeerCase } from '../model.js';
import { latencyOf } from './measures.js';

/** As many as Linux lets wait in a queue by default (net.core.somaxconn), eight times the backlog that Node asks for. */
const params: readonly Params[] = [{ connections: 4096 }];

const US_A_MS = 1e3;

export const storm: PeerCase = {
  kind: 'peers',
  name: 'storm',
  title: 'connects made in one tick, each with a 64 B exchange',
  client: 'subject',
  words: { bytes: 64 },
  plan: { default: { unix: params }, quick: { unix: params } },
  rounds: { quick: 1 },
  warmup: { default: 0, quick: 0 },
  // What the storm takes is measured, and no length is chosen.
  fixedSeconds: 0,
  headline: 'failed',
  measures: [
    { name: 'failed', unit: 'connections', better: 'lower', meaning: 'connects that failed' },
    {
      name: 'wait',
      unit: 'ms',
      better: 'lower',
      meaning: 'longest wait from the tick to an answer, of those that did not fail',
    },
  ],
  evaluate(outcome) {
    const { failed } = outcome.load;
    if (failed === undefined) throw new Error('the client told no number of failed connects');
    return { failed, wait: latencyOf(outcome).max / US_A_MS };
  },
};
