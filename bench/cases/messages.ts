/** The cases of connections and messages. */
import type { BenchCase, Params } from '../model.js';
import { bytesAndCpu, grownBy, P50, P99, rateAndCpu } from './measures.js';

const MESSAGES = rateAndCpu('message', 'answered');

export const rtt: BenchCase = {
  name: 'rtt',
  title: 'round trip, one message outstanding on one connection, both ends on one core',
  client: 'subject',
  // One end sleeps while the other works. On two cores, each message would wait for an idle core to wake: 20 us and
  // more in a virtual machine, whatever the transport, and only in those runs in which the scheduler keeps the ends
  // apart.
  sharesCore: true,
  plan: {
    default: { unix: [{ bytes: 64 }, { bytes: 4096 }, { bytes: 65536 }], tcp: [{ bytes: 64 }] },
    quick: { unix: [{ bytes: 64 }], tcp: [{ bytes: 64 }] },
  },
  warmup: { default: 0.15, quick: 0.1 },
  headline: 'p50',
  measures: [P50, P99],
};

const window: readonly Params[] = [{ bytes: 64, window: 256 }];

export const pipeline: BenchCase = {
  name: 'pipeline',
  title: '256 messages outstanding on one connection, one write call each',
  client: 'subject',
  plan: { default: { unix: window, tcp: window }, quick: { unix: window } },
  warmup: { default: 0.25, quick: 0.15 },
  headline: 'rate',
  measures: MESSAGES,
};

export const bulk: BenchCase = {
  name: 'bulk',
  title: 'one way, as fast as backpressure allows',
  client: 'subject',
  plan: {
    default: { unix: [{ bytes: 4096 }, { bytes: 65536 }, { bytes: 1048576 }], tcp: [{ bytes: 65536 }] },
    quick: { unix: [{ bytes: 4096 }, { bytes: 1048576 }] },
  },
  warmup: { default: 0.15, quick: 0.1 },
  headline: 'rate',
  measures: bytesAndCpu('handed over', 'sender', ({ load }) => load.clientCpu),
};

const many: readonly Params[] = [{ connections: 64 }];

export const fanin: BenchCase = {
  name: 'fanin',
  title: 'many connections, one 64 B message outstanding on each',
  client: 'floor',
  words: { bytes: 64 },
  plan: { default: { unix: many, tcp: many }, quick: { unix: many } },
  warmup: { default: 0.2, quick: 0.15 },
  headline: 'cpu',
  measures: [...MESSAGES, P99],
};

/** The baseline of all growth ratios. */
export const GROWTH_BASE = 16;

export const growth: BenchCase = {
  name: 'growth',
  title: 'fanin over ever more connections',
  client: 'floor',
  words: { bytes: 64 },
  plan: {
    default: {
      unix: [
        ...[1, GROWTH_BASE, 256, 4096].map((connections) => ({ connections })),
        // `idle` connections are open in addition to the others, and silent.
        { connections: 256, idle: 8192 },
      ],
    },
  },
  // It takes about three minutes, too long for a default run.
  onlyNamed: true,
  // Thousands of connections take longer to warm up than 64.
  warmup: { default: 0.5, quick: 0.3 },
  measures: [...MESSAGES, P50, P99],
};

const small: readonly Params[] = [{ bytes: 64 }];

export const churn: BenchCase = {
  name: 'churn',
  title: 'connect, one 64 B exchange, close; 16 at a time',
  client: 'floor',
  words: { connections: 16 },
  plan: { default: { unix: small, tcp: small }, quick: { unix: small } },
  warmup: { default: 1, quick: 0.5 },
  headline: 'cpu',
  measures: rateAndCpu('connection', 'served'),
};

export const relay: BenchCase = {
  name: 'relay',
  title: 'what comes on one connection goes out on another, 4 pairs of them',
  client: 'floor',
  words: { connections: 8 },
  plan: { default: { unix: [{ bytes: 65536 }] } },
  rounds: { quick: 2 },
  warmup: { default: 0.5, quick: 0.3 },
  headline: 'cpu',
  measures: bytesAndCpu('passed on', 'relay', ({ serverCpu }) => serverCpu),
};

export const idle: BenchCase = {
  name: 'idle',
  title: 'open connections that have spoken once and are silent',
  client: 'floor',
  words: { bytes: 64 },
  requestOf: ({ connections = 0 }) => ({ words: { connections: 0, idle: connections } }),
  // Reduced to what the descriptor limit allows: see `withinLimits` in plan.ts.
  plan: { default: { unix: [{ connections: 10_000 }] } },
  // Memory hardly varies, and 10,000 connections take a second to open.
  rounds: { default: 3, quick: 1 },
  setupSeconds: 1.5,
  // Nothing happens in it: memory is queried before.
  fixedSeconds: 0.05,
  asksMemory: 'connections',
  headline: 'memory',
  measures: [grownBy('memory', 'connection', 'resident bytes of the server a connection')],
};

const US_A_MS = 1e3;

export const storm: BenchCase = {
  name: 'storm',
  title: 'connects made in one tick, each with a 64 B exchange',
  client: 'subject',
  words: { bytes: 64 },
  // The longest accept queue that Linux allows by default (net.core.somaxconn), eight times the backlog that Node
  // requests.
  plan: { default: { unix: [{ connections: 4096 }] } },
  rounds: { quick: 1 },
  // The duration of the storm is measured, not chosen.
  fixedSeconds: 0,
  headline: 'failed',
  measures: [
    {
      ...{ name: 'failed', unit: 'connections', better: 'lower', meaning: 'connects that failed' },
      of: ({ load }) => load.failed ?? NaN,
    },
    {
      ...{ name: 'wait', unit: 'ms', better: 'lower' },
      meaning: 'longest wait from the tick to an answer, of those that did not fail',
      of: ({ load }) => (load.latency?.max ?? NaN) / US_A_MS,
    },
  ],
};

export const retained: BenchCase = {
  name: 'retained',
  title: "received chunks of 100 B that are kept, all of them or one of many, each a 'data' event of its own",
  client: 'subject',
  words: { connections: 16 },
  plan: {
    default: {
      // All received chunks are kept, or one of many, as when a program keeps the last message of each kind, or the
      // start of an incomplete one.
      unix: [
        { bytes: 100, chunks: 10_000 },
        { bytes: 100, chunks: 1000, every: 64 },
        { bytes: 100, chunks: 200, every: 512 },
      ],
    },
  },
  // Memory hardly varies, and a hundred thousand messages take a second.
  rounds: { default: 3, quick: 1 },
  setupSeconds: 0.8,
  // A fixed number of messages, however long they take. The warm-up uses chunks that are not kept.
  fixedSeconds: 0,
  asksMemory: 'stretch',
  headline: 'held',
  measures: [
    grownBy('held', 'chunk', 'bytes a chunk, on the heap of V8 and outside of it'),
    grownBy('memory', 'chunk', 'resident bytes of the server a chunk'),
  ],
};
