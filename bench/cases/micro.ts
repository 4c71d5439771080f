import type { MicroCase, Params } from '../model.js';

const operations: readonly Params[] = [
  { operation: 'parse head', headers: 2 },
  { operation: 'parse head', headers: 10 },
  { operation: 'serialise head' },
  { operation: 'write', bytes: 64 },
];

export const micro: MicroCase = {
  kind: 'micro',
  name: 'micro',
  title: "inside one process, without sockets: what is node's own code on one side, and ours on the other",
  plan: { default: { none: operations }, quick: { none: operations } },
  rounds: { default: 3, quick: 2 },
  // Thousands of batches, of each subject.
  fixedSeconds: { default: 0.12, quick: 0.08 },
  measures: [{ name: 'time', unit: 'ns', better: 'lower', meaning: 'time of one operation' }],
};
