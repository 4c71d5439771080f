import type { Params, PeerCase } from '../model.js';
import { cpu, latencyOf, P50, P99, serverCpuPerOperation } from './measures.js';

/** Milliseconds: nothing, what a template takes, and what a heavy page does. */
const [NOTHING, LITTLE, MUCH] = [0, 0.1, 1];

const CONNECTIONS = 16;

/** Single requests come by chance. */
function single(compute: number): Params {
  return { connections: CONNECTIONS, compute };
}

/** As many at once as there are connections, then none until the next are due. */
function bursts(compute: number): Params {
  return { ...single(compute), arrival: 'burst' };
}

export const handler: PeerCase = {
  kind: 'peers',
  name: 'handler',
  title: "node:http, handlers that compute for so many ms, at half of node:net's own maximum",
  client: 'floor',
  words: { body: 12, arrival: 'poisson' },
  offered: () => 0.5,
  plan: {
    default: {
      unix: [single(NOTHING), single(LITTLE), single(MUCH), bursts(NOTHING), bursts(LITTLE), bursts(MUCH)],
      tcp: [single(NOTHING), single(LITTLE), single(MUCH)],
    },
    quick: { unix: [single(NOTHING), single(LITTLE), single(MUCH), bursts(LITTLE)], tcp: [single(LITTLE)] },
  },
  // Rounds differ less than the requests of one do, and there have to be some hundred of 1 ms.
  rounds: { default: 3, quick: 2 },
  fixedSeconds: { default: 0.4, quick: 0.25 },
  // A closed loop, in which handlers of 1 ms answer a thousand requests a second.
  warmup: { default: 0.3, quick: 0.25 },
  headline: 'p50',
  measures: [P50, P99, cpu('us/request', 'CPU of the server a request, what the handler computes included')],
  evaluate(outcome) {
    const { p50, p99 } = latencyOf(outcome);
    return { p50, p99, cpu: serverCpuPerOperation(outcome) };
  },
};
