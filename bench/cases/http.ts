/** The three cases on node:http: keep-alive, a connection per request, and bodies. */
import type { Measure, Outcome, Params, PeerCase, Values } from '../model.js';
import { cpu, latencyOf, operationsPerSecond, P50, P99, rate, serverCpuPerOperation } from './measures.js';

/** Bytes of "hello world\n". */
const HELLO_BYTES = 12;
const CONNECTIONS = 32;

const measures: readonly Measure[] = [
  rate('requests/s', 'requests answered'),
  cpu('us/request', 'CPU of the server a request'),
  P50,
  P99,
];

function evaluate(outcome: Outcome): Values {
  const { p50, p99 } = latencyOf(outcome);
  return { rate: operationsPerSecond(outcome), cpu: serverCpuPerOperation(outcome), p50, p99 };
}

const keepAlive: Params = { connections: CONNECTIONS, body: HELLO_BYTES, keepAlive: true };
const perRequest: Params = { connections: CONNECTIONS, body: HELLO_BYTES, keepAlive: false };

export const http: PeerCase = {
  kind: 'peers',
  name: 'http',
  title: 'node:http hello, 32 keep-alive connections',
  client: 'floor',
  plan: { default: { unix: [keepAlive], tcp: [keepAlive] }, quick: { unix: [keepAlive], tcp: [keepAlive] } },
  warmup: { default: 0.7, quick: 0.35 },
  headline: 'cpu',
  measures,
  evaluate,
};

export const httpClose: PeerCase = {
  kind: 'peers',
  name: 'http-close',
  title: 'node:http hello, a connection per request, 32 at a time',
  client: 'floor',
  plan: { default: { unix: [perRequest], tcp: [perRequest] }, quick: { unix: [perRequest] } },
  warmup: { default: 1.5, quick: 0.6 },
  headline: 'cpu',
  measures,
  evaluate,
};

export const httpBody: PeerCase = {
  kind: 'peers',
  name: 'http-body',
  title: 'node:http bodies on 8 keep-alive connections, those that go down a new Buffer each',
  client: 'floor',
  words: { connections: 8 },
  plan: {
    default: {
      unix: [
        { bytes: 65536, way: 'download' },
        { bytes: 65536, way: 'upload' },
        { bytes: 1048576, way: 'download' },
        { bytes: 1048576, way: 'upload' },
      ],
    },
    quick: {
      unix: [
        { bytes: 65536, way: 'download' },
        { bytes: 65536, way: 'upload' },
      ],
    },
  },
  // A download begins with its number.
  leastBytes: 4,
  // A body of 1 MiB a request leaves few requests for the compilers to learn from.
  warmup: { default: 1.2, quick: 0.5 },
  headline: 'cpu',
  measures,
  evaluate,
};
