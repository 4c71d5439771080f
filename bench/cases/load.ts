import { jsonBody } from '../cost/apps/application.js';
import type { Measure, Outcome, Params, PeerCase } from '../model.js';
import { cpu, serverCpuPerOperation } from './measures.js';

/** Percent of the rate at which node:net answers at most. */
export const LOADS = [10, 25, 50, 75, 90];

/** Milliseconds: nothing, what a template takes, and what a heavy page does. */
const [NOTHING, LITTLE, MUCH] = [{ compute: 0 }, { compute: 0.1 }, { compute: 1 }] as const;
/** As many requests at once as there are connections, then none until the next are due. */
const BURSTS: Params = { arrival: 'burst' };
/** Bytes of a JSON that is parsed, and of that which answers it. */
const JSON_1K: Params = { json: 1024 };
/** MB of small objects that are alive, and of which each request replaces some. */
const HEAP_100M: Params = { heap: 100 };

/** Bytes of "hello world\n". */
const HELLO_BYTES = 12;

function at(loads: readonly number[], ...handlers: readonly Params[]): Params[] {
  return handlers.flatMap((handler) => loads.map((load) => ({ ...handler, load })));
}

const clientCpu: Measure = {
  name: 'clientCpu',
  unit: 'us/request',
  better: 'lower',
  meaning: 'CPU of the load generator a request',
};
const inTime: Measure = {
  name: 'inTime',
  unit: '%',
  better: 'higher',
  meaning: 'share of the requests due that were answered before the stretch was over',
};

export const load: PeerCase = {
  kind: 'peers',
  name: 'load',
  title: "node:http on 64 kept connections, requests due at so much of node:net's own maximum",
  client: 'floor',
  words: { connections: 64, body: HELLO_BYTES, arrival: 'poisson' },
  offered: ({ load: percent }) => Number(percent) / 100,
  clientWords: ({ json = HELLO_BYTES }) => ({ answer: json }),
  requestBody: ({ json }) => (json === undefined ? undefined : jsonBody()),
  plan: {
    default: { unix: [...at([25, 75], NOTHING), ...at([50], LITTLE, { ...LITTLE, ...BURSTS })] },
    quick: { unix: at([75], NOTHING) },
  },
  namedPlan: {
    default: {
      unix: [...at(LOADS, NOTHING, LITTLE, MUCH, JSON_1K, HEAP_100M), ...at([50], { ...LITTLE, ...BURSTS })],
    },
    quick: { unix: at(LOADS, NOTHING) },
  },
  rounds: { default: 3, quick: 2 },
  warmup: { default: 0.5, quick: 0.35 },
  measures: [cpu('us/request', 'CPU of the server a request, what the handler does included'), clientCpu, inTime],
  evaluate(outcome: Outcome) {
    const { load: result } = outcome;
    if (!result.due) throw new Error('the client did not tell what was due');
    return {
      cpu: serverCpuPerOperation(outcome),
      clientCpu: result.clientCpu / result.operations,
      inTime: (100 * result.due.inTime) / result.due.requests,
    };
  },
};
