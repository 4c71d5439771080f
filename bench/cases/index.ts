/** All cases, in the order of the report. */
import type { BenchCase } from '../model.js';
import { crowd, file, http, httpBody, httpClose, httpSame, load, page } from './http.js';
import { bulk, churn, fanin, growth, idle, pipeline, relay, retained, rtt, storm } from './messages.js';

const micro: BenchCase = {
  name: 'micro',
  title: "inside one process, without sockets: what is node's own code on one side, and ours on the other",
  client: 'none',
  plan: {
    default: {
      none: [
        { operation: 'parse head', headers: 2 },
        { operation: 'parse head', headers: 10 },
        { operation: 'serialise head' },
        { operation: 'serve request' },
        { operation: 'serve uwsgi request' },
        { operation: 'write', bytes: 64 },
      ],
    },
  },
  rounds: { default: 3, quick: 2 },
  // Enough for thousands of batches of each subject.
  fixedSeconds: 0.1,
  measures: [{ name: 'time', unit: 'ns', better: 'lower', meaning: 'time of one operation' }],
};

export const CASES: readonly BenchCase[] = [
  ...[rtt, pipeline, bulk, fanin, growth, churn],
  ...[http, httpClose, httpBody, httpSame, load, file, page],
  ...[relay, crowd, idle, storm, retained, micro],
];
