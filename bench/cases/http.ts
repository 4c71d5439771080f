/** The cases on node:http. */
import { jsonBody } from '../cost/apps/application.js';
import type { BenchCase, Params, Request } from '../model.js';
import { floorPattern } from '../work/pattern.js';
import { grownBy, P50, P99, rateAndCpu } from './measures.js';

/** Bytes of "hello world\n". */
const HELLO_BYTES = 12;
const KIB_64 = 65536;
const MIB = 1048576;

const REQUESTS = rateAndCpu('request', 'answered');

const keepAlive: readonly Params[] = [{ connections: 32, body: HELLO_BYTES, keepAlive: true }];
const perRequest: readonly Params[] = [{ connections: 32, body: HELLO_BYTES, keepAlive: false }];

export const http: BenchCase = {
  name: 'http',
  title: 'node:http hello, 32 keep-alive connections',
  client: 'floor',
  plan: { default: { unix: keepAlive, tcp: keepAlive } },
  warmup: { default: 0.7, quick: 0.35 },
  headline: 'cpu',
  measures: [...REQUESTS, P50, P99],
};

export const httpClose: BenchCase = {
  ...http,
  name: 'http-close',
  title: 'node:http hello, a connection per request, 32 at a time',
  plan: { default: { unix: perRequest, tcp: perRequest }, quick: { unix: perRequest } },
  warmup: { default: 1.5, quick: 0.6 },
};

function bothWays(bytes: number): Params[] {
  return ['download', 'upload'].map((way) => ({ bytes, way }));
}

export const httpBody: BenchCase = {
  ...http,
  name: 'http-body',
  title: 'node:http bodies on 8 keep-alive connections, those that go down a new Buffer each',
  words: { connections: 8 },
  requestOf: ({ bytes, way }): Request => (way === 'upload' ? { body: floorPattern(Number(bytes)) } : {}),
  plan: { default: { unix: [...bothWays(KIB_64), ...bothWays(MIB)] }, quick: { unix: bothWays(KIB_64) } },
  // A download begins with its number.
  leastBytes: 4,
  // With a body of 1 MiB per request, the compilers see few requests.
  warmup: { default: 1.2, quick: 0.5 },
};

/** Responses from existing data: for servers that send the same content many times. */
const bodies: Omit<BenchCase, 'name' | 'title'> = {
  client: 'floor',
  words: { connections: 8 },
  plan: { default: { unix: [{ bytes: KIB_64 }, { bytes: MIB }] }, quick: { unix: [{ bytes: KIB_64 }] } },
  rounds: { quick: 2 },
  warmup: { default: 0.5, quick: 0.3 },
  headline: 'cpu',
  measures: REQUESTS,
};

export const httpSame: BenchCase = {
  ...bodies,
  name: 'http-same',
  title: 'node:http answers with one Buffer again and again, on 8 keep-alive connections',
  rounds: { default: 3, quick: 1 },
};

export const file: BenchCase = {
  ...bodies,
  name: 'file',
  title: 'node:http answers with a file, on 8 keep-alive connections',
  needsFile: true,
};

export const page: BenchCase = {
  ...bodies,
  name: 'page',
  title: 'node:http answers with a body that lies in memory, on 8 keep-alive connections',
  // Page.threshold: a smaller page is copied like any buffer.
  leastBytes: 16384,
};

const MS_A_SECOND = 1e3;

export const crowd: BenchCase = {
  name: 'crowd',
  title: 'node:http answers with a body that lies in memory, to connections that read it when all have asked for it',
  client: 'floor',
  // Reduced to what the descriptor limit allows: see `withinLimits` in plan.ts.
  plan: { default: { unix: [{ connections: 10_000, bytes: MIB }] } },
  // Copies take more than 2 GB of memory, so this runs only on request.
  onlyNamed: true,
  rounds: { default: 5, quick: 1 },
  setupSeconds: 3,
  // The stretch ends when everything has been read; this is the maximum.
  fixedSeconds: 20,
  asksMemory: 'crowd',
  headline: 'system',
  measures: [
    grownBy('system', 'connection', 'memory of the machine a connection, with what the kernel holds'),
    grownBy('memory', 'connection', 'resident bytes of the server a connection'),
    {
      ...{ name: 'wait', unit: 'ms', better: 'lower' },
      meaning: 'from the first connect until all connections have read all of it',
      of: ({ setupMs, load }) => setupMs + load.seconds * MS_A_SECOND,
    },
  ],
};

/** Percent of node:net's maximum rate. */
const LOADS = [10, 25, 50, 75, 90];
/** Milliseconds: none, those of a template, and those of a heavy page. */
const [NOTHING, LITTLE, MUCH] = [{ compute: 0 }, { compute: 0.1 }, { compute: 1 }] as const;
/** As many requests at once as there are connections, then none until the next are due. */
const BURSTS: Params = { ...LITTLE, arrival: 'burst' };
/** Bytes of the JSON that is parsed, and of the JSON response. */
const JSON_1K: Params = { json: 1024 };
/** MB of small live objects, some of which each request replaces. */
const HEAP_100M: Params = { heap: 100 };

function at(loads: readonly number[], ...handlers: readonly Params[]): Params[] {
  return handlers.flatMap((handler) => loads.map((load) => ({ ...handler, load })));
}

export const load: BenchCase = {
  name: 'load',
  title: "node:http on 64 kept connections, requests due at so much of node:net's own maximum",
  client: 'floor',
  words: { connections: 64, body: HELLO_BYTES, arrival: 'poisson' },
  requestOf: ({ json }): Request =>
    json === undefined ? { words: { answer: HELLO_BYTES } } : { words: { answer: json }, body: jsonBody() },
  plan: {
    default: { unix: [...at([25, 75], NOTHING), ...at([50], LITTLE, BURSTS)] },
    quick: { unix: at([75], NOTHING) },
  },
  namedPlan: {
    default: { unix: [...at(LOADS, NOTHING, LITTLE, MUCH, JSON_1K, HEAP_100M), ...at([50], BURSTS)] },
    quick: { unix: at(LOADS, NOTHING) },
  },
  rounds: { default: 3, quick: 2 },
  warmup: { default: 0.5, quick: 0.35 },
  measures: [
    { ...REQUESTS[1], meaning: 'CPU of the server a request, what the handler does included' },
    {
      ...{ name: 'clientCpu', unit: 'us/request', better: 'lower', meaning: 'CPU of the load generator a request' },
      of: ({ load: { clientCpu, operations } }) => clientCpu / operations,
    },
    {
      ...{ name: 'inTime', unit: '%', better: 'higher' },
      meaning: 'share of the requests due that were answered before the stretch was over',
      of: ({ load: { inTime = NaN, begun = NaN, unsent = NaN } }) => (100 * inTime) / (begun + unsent),
    },
  ],
};
