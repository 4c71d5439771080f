import type { MicroCase } from '../model.js';

export const micro: MicroCase = {
  kind: 'micro',
  name: 'micro',
  title: 'inside one process: what the engine costs before the kernel is asked',
  plan: {
    default: { none: [{ operation: 'crossing' }, { operation: 'write' }, { operation: 'turn' }] },
    quick: { none: [{ operation: 'crossing' }, { operation: 'write' }, { operation: 'turn' }] },
  },
  rounds: { default: 3, quick: 1 },
  headline: 'time',
  measures: [{ name: 'time', unit: 'ns', better: 'lower', meaning: 'time of one operation' }],
};
