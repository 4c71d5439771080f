/** Bodies that lie there already, in a file or in memory: what a server is for that sends the same thing many times. */
import type { Measure, Outcome, Params, PeerCase, Values } from '../model.js';
import { cpu, operationsPerSecond, rate, serverCpuPerOperation } from './measures.js';

const measures: readonly Measure[] = [
  rate('requests/s', 'requests answered'),
  cpu('us/request', 'CPU of the server a request'),
];

const small: Params = { bytes: 65536 };
const large: Params = { bytes: 1048576 };

function evaluate(outcome: Outcome): Values {
  return { rate: operationsPerSecond(outcome), cpu: serverCpuPerOperation(outcome) };
}

/** As of http-body. */
const common = {
  kind: 'peers',
  client: 'floor',
  words: { connections: 8 },
  plan: { default: { unix: [small, large] }, quick: { unix: [small] } },
  rounds: { quick: 2 },
  warmup: { default: 0.5, quick: 0.3 },
  headline: 'cpu',
  measures,
  evaluate,
} satisfies Partial<PeerCase>;

export const file: PeerCase = {
  ...common,
  name: 'file',
  title: 'node:http answers with a file, on 8 keep-alive connections',
  needsFile: true,
};

export const httpSame: PeerCase = {
  ...common,
  name: 'http-same',
  title: 'node:http answers with one Buffer again and again, on 8 keep-alive connections',
  rounds: { default: 3, quick: 1 },
};

export const page: PeerCase = {
  ...common,
  name: 'page',
  title: 'node:http answers with a body that lies in memory, on 8 keep-alive connections',
  // Page.threshold: a smaller page is copied as any buffer is.
  leastBytes: 16384,
};
