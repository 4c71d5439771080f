/** Made-up results of `nearwire cost`. */
import type { CostResult, Figure, Layer, Overload, RowResult, Split, Work, WorkName } from '../../bench/cost/model.js';

/** Within a tenth of it. */
export function figure(median: number, rounds = 5): Figure {
  return { median, low: median * 0.95, high: median * 1.1, rounds };
}

const works: readonly Work[] = [
  work('hello', 'hello world', 12),
  work('json', '1 KiB of JSON after 1 ms of CPU', 1024, 1),
  work('download', '1 MiB', 1024 * 1024),
];

function work(name: WorkName, title: string, answerBytes: number, appMs = 0): Work {
  return { name, title, method: 'GET', path: `/${name}`, requestBytes: 0, answerBytes, appMs };
}

type StackHead = CostResult['stacks'][number];
const hop = (family: 'unix' | 'tcp', protocol: 'uwsgi' | 'http', connections: 'close' | 'keep-alive' = 'close') =>
  ({ family, protocol, connections }) as const;

export const MADE_UP_STACKS: readonly StackHead[] = [
  { name: 'nginx-uwsgi-unix', title: 'nginx -> uWSGI over UNIX', language: 'python', hop: hop('unix', 'uwsgi') },
  { name: 'nginx-uwsgi-tcp', title: 'nginx -> uWSGI over TCP', language: 'python', hop: hop('tcp', 'uwsgi') },
  { name: 'uwsgi-http', title: 'uWSGI as HTTP server, alone', language: 'python', hop: undefined },
  ...(['unix', 'tcp'] as const).flatMap((family): StackHead[] =>
    (['close', 'keep-alive'] as const).map((connections) => ({
      name: `nginx-nearwire-${family}-${connections === 'close' ? 'close' : 'keep'}`,
      title: `nginx -> node:http by nearwire over ${family === 'unix' ? 'UNIX' : 'TCP'}, ${connections}`,
      language: 'node',
      hop: hop(family, 'http', connections),
    })),
  ),
  { name: 'nginx', title: 'nginx alone', language: 'none', hop: undefined },
];

/** TCP costs a half more, a work of 1 MiB twenty times as much; the first stack is the cheapest. */
function rowOf(stack: StackHead, { name, appMs }: Work, index: number): RowResult {
  const level = (stack.name.includes('tcp') ? 1.5 : 1) * (name === 'download' ? 20 : 1) * (1 + index / 10);
  const cpu = (value: number) => ({ user: figure(value * 0.4), system: figure(value * 0.6), all: figure(value) });
  return {
    stack: stack.name,
    work: name,
    latency: figure(100 * level + appMs * 1000),
    rate: figure(50_000 / level),
    p99: figure(900 * level),
    cpu: {
      ...(stack.name.startsWith('nginx') && { front: cpu(17 * level) }),
      ...(stack.name !== 'nginx' && { app: cpu(10 * level + appMs * 1000) }),
    },
  };
}

const SHARES: Readonly<Record<Layer, number>> = { front: 0.5, hop: 0.3, protocol: 0.15, application: 0.05 };

function splitOf(row: RowResult, of: Split['of'], derivation: string): Split {
  const all = Object.values(row.cpu).reduce((sum, cpu) => sum + cpu.all.median, 0);
  const whole = of === 'time' ? row.latency.median : all;
  return {
    stack: row.stack,
    work: row.work,
    of,
    whole: figure(whole),
    layers: Object.entries(SHARES).map(([layer, share]) => ({
      layer: layer as Layer,
      figure: figure(whole * share),
      share: figure(share),
      derivation,
      inNoise: layer === 'application',
    })),
    crossCheck: figure(1.02),
  };
}

function overload(hostile: string): Overload {
  return {
    name: 'queue',
    family: 'unix',
    title: 'The listen queue of a UNIX socket overflows',
    drive: `nginx -> node:http, backlog 128, rising rates ${hostile}`,
    at: { value: 2345, unit: 'requests/s' },
    depth: { value: 129, limit: 128, unit: 'connections' },
    error: 'connect() to unix:/run/app.sock failed (11: Resource temporarily unavailable) while connecting to upstream',
    setting: 'listen({ path, backlog: 511 }) (not met then); net.core.somaxconn where it caps it',
    moves: [{ setting: 'listen({ path, backlog: 511 })', at: undefined, seen: 'did not break at 4,690 requests/s' }],
  };
}

/** `hostile` stands wherever text comes from outside. */
export function madeUpCost(hostile = ''): CostResult {
  const rows = works.flatMap((each) => MADE_UP_STACKS.map((stack, index) => rowOf(stack, each, index)));
  const curved = MADE_UP_STACKS.slice(0, 2).map(({ name }) => name);
  return {
    host: { cpu: `A CPU ${hostile}`, cores: 2, kernel: 'Linux 6.1', load: 0.1, sandbox: null },
    versions: { node: '20.0.0', nearwire: '0.1.0', commit: 'abc' },
    programs: [
      { name: 'nginx', file: '/usr/sbin/nginx', version: '1.26.3', install: 'apt-get install nginx' },
      { name: 'yaws', file: undefined, version: undefined, install: 'apt-get install yaws' },
    ],
    command: `nearwire cost ${hostile}`,
    started: '2026-01-02T03:04:05.000Z',
    seconds: 913,
    quick: false,
    notes: [`busy machine ${hostile}`],
    missing: [{ stack: 'yaws', title: `Yaws alone ${hostile}`, reason: 'not installed: apt-get install yaws' }],
    stacks: MADE_UP_STACKS,
    works,
    samples: { measurements: [], hops: [], crossChecks: [], applications: [] },
    rows,
    splits: rows
      .filter(({ stack }) => stack !== 'nginx')
      .flatMap((row) => (['time', 'cpu'] as const).map((of) => splitOf(row, of, `${row.stack} - nginx ${hostile}`))),
    systemCalls: [
      { stack: 'nginx', work: 'hello', calls: { front: { recvfrom: 1, writev: 1, epoll_wait: 1 } } },
      {
        ...{ stack: 'nginx-uwsgi-unix', work: 'hello' },
        calls: {
          front: { recvfrom: 2, writev: 2, connect: 1, epoll_wait: 2.5 },
          app: { accept4: 1, read: 1, [`w${hostile}`]: 1 },
        },
      },
    ],
    curves: curved.map((stack, index) => ({
      stack,
      work: 'hello',
      holds: 40_000 - index * 10_000,
      points: [10, 20, 30, 40, 50].map((thousands) => {
        const holds = thousands <= 40 - index * 10;
        const offered = thousands * 1000;
        return { offered, served: holds ? offered : 33_000, p50: 100 + thousands, p99: holds ? 400 : 9e5, errors: 0 };
      }),
    })),
    overloads: [overload(hostile)],
    answers: [
      {
        question: 'What does the hop cost?',
        text: `On this host a request through nginx to a Python app takes 100 us; the hop over a UNIX socket is 30.0 us of it (30 %), over TCP 45.0 us. With an application of 5 ms it is 0.3 %. ${hostile}`,
        figures: { whole: figure(100), hopUnix: figure(30), hopShare: figure(0.3) },
      },
      { question: 'Directly or through a front?', text: 'Inside the noise.', figures: {} },
    ],
    failures: [],
    interrupted: false,
  };
}
