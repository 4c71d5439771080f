/** The load generator of `nearwire cost`, against servers that do as servers do. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { constants } from 'node:os';

import { describe, expect, test } from 'vitest';

import { chainOf } from '../../../bench/cost/configurations.js';
import { quantileOf } from '../../../bench/histogram.js';
import { describeFailures, LoadGenerator, type LoadFigures, type LoadOptions } from '../../../bench/cost/load.js';
import type { Load, Target, Work } from '../../../bench/cost/model.js';
import { Processes } from '../../../bench/cost/processes.js';
import { stackNamed } from '../../../bench/cost/stacks/index.js';
import { isMissing, programs } from '../../support/cost.js';
import { requireOrSkip } from '../../support/requirements.js';
import { stoppedServer } from '../../support/full-queue.js';
import { cleanup, closeAtEnd, freshAddress, temporaryDirectory } from '../../support/sockets.js';

const floor = requireOrSkip('floor') ?? '';
const { EAGAIN, ECONNREFUSED } = constants.errno;
const families = ['unix', 'tcp'] as const;
const CLOSED = { connections: 4, seconds: 0.1 };

const work = (changes: Partial<Work> = {}): Work => ({
  ...{ name: 'hello', path: '/hello?a=b', answerBytes: undefined },
  ...changes,
});

async function listen(server: net.Server, family: 'unix' | 'tcp' = 'unix', backlog = 511): Promise<Target> {
  closeAtEnd(server);
  server.listen({ ...freshAddress(family), backlog });
  await once(server, 'listening');
  const address = server.address();
  if (address === null) throw new Error('it listens');
  return typeof address === 'string' ? { path: address } : { host: address.address, port: address.port };
}

const serve = (handler: http.RequestListener, family?: 'unix' | 'tcp'): Promise<Target> =>
  listen(http.createServer(handler), family);

const { signal } = new AbortController();
async function run(target: Target, options: Partial<LoadOptions> = {}): Promise<LoadFigures> {
  const generator = await LoadGenerator.open({ floor, target, work: work(), load: CLOSED, signal, ...options });
  try {
    return await generator.stretch();
  } finally {
    await generator.stop();
  }
}

/** Answers all that it is asked with these bytes, and then does as it is told. */
function raw(answer: string, then: (socket: net.Socket) => unknown): net.Server {
  return net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      socket.write(answer);
      then(socket);
    });
  });
}

const OK = 'HTTP/1.1 200 OK\r\n';
const keep = (): void => undefined;
const end = (socket: net.Socket): unknown => socket.end();
const reset = (socket: net.Socket): unknown => socket.resetAndDestroy();

describe.skipIf(floor === '')('the load', () => {
  test.each(families)('asks as it is told, over %s', async (family) => {
    const seen = new Set<string>();
    const target = await serve((request, response) => {
      const { method = '', url = '', httpVersion, headers } = request;
      seen.add([method, url, httpVersion, headers.host, headers.connection].join(' '));
      response.end('12345');
    }, family);
    const figures = await run(target, { work: work({ answerBytes: 5 }) });
    expect([...seen]).toEqual(['GET /hello?a=b 1.1 localhost ']);
    expect(figures).toMatchObject({ errors: 0, operations: figures.begun, opened: 0 });
    expect(figures.clientCpu).toBeGreaterThan(0);
  });

  test.each([
    ['Content-Length and kept connections', `${OK}Content-Length: 5\r\n\r\nhello`, keep],
    ['Content-Length and an end', `${OK}Content-Length: 5\r\nConnection: close\r\n\r\nhello`, end],
    ['an end that was not announced', `${OK}Content-Length: 5\r\n\r\nhello`, end],
    ['chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, keep],
    ['what the end of the connection ends', `${OK}\r\nhello`, end],
    ['a Server of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', end],
  ])('takes answers with %s', async (_, answer, then) => {
    const figures = await run(await listen(raw(answer, then)), { work: work({ answerBytes: 5 }) });
    expect(describeFailures(figures)).toBe('');
    expect(figures.operations).toBeGreaterThan(CLOSED.connections);
  });

  test.each([
    ['statuses', 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n', keep, 'status 502'],
    ['answers without a body', 'HTTP/1.1 204 No Content\r\n\r\n', keep, 'status 204'],
    ['ends before the answer', '', end, 'closed before the response'],
    ['ends within it', `${OK}Content-Length: 9\r\n\r\nh`, end, 'closed before'],
    ['other lengths', `${OK}Content-Length: 1\r\n\r\nh`, keep, 'malformed'],
    ['what is no HTTP', 'hello\r\n\r\n', keep, 'malformed'],
    ['resets', '', reset, 'broken by ECONNRESET'],
  ] as const)('counts %s, and goes on', async (_, answer, then, told) => {
    const target = await listen(raw(answer, then), then === reset ? 'tcp' : 'unix');
    const figures = await run(target, { work: work({ answerBytes: 5 }) });
    expect(describeFailures(figures)).toMatch(new RegExp(`^${String(figures.errors)} x ${told}`));
    expect(figures).toMatchObject({ operations: 0, errors: figures.begun });
    expect(figures.begun).toBeGreaterThan(CLOSED.connections);
  });

  test('counts what can not be connected to by its error, without hurry', async () => {
    const { port } = (await serve(() => undefined, 'tcp')) as { port: number };
    expect(port).toBeGreaterThan(0);
    const missing = await run({ path: `${temporaryDirectory()}/none` });
    expect(describeFailures(missing)).toBe(`${String(missing.begun)} x connect ENOENT`);
    // A millisecond of rest after each.
    expect(missing.begun).toBeLessThan(150);
    const refused = await run({ host: '127.0.0.1', port: 1 });
    expect(describeFailures(refused)).toBe(`${String(refused.begun)} x connect ECONNREFUSED`);
  });

  test('keeps its connections from stretch to stretch', async () => {
    const target = await serve((_request, response) => response.end('hello'));
    const generator = await LoadGenerator.open({ floor, target, work: work(), load: CLOSED, signal });
    cleanup(() => generator.stop());
    for (let stretch = 0; stretch < 3; stretch++)
      expect(await generator.stretch()).toMatchObject({ opened: 0, errors: 0 });
  });
});

describe.skipIf(floor === '')('the open loop', () => {
  const load: Load = { connections: 512, rate: 500, seconds: 0.4 };

  test('begins requests at its rate', async () => {
    const target = await serve((_request, response) => response.end('hello'));
    const figures = await run(target, { load });
    expect(figures.begun + figures.unsent).toBe(200);
    expect(figures.operations + figures.unsent).toBe(200);
  });

  test('charges a stall with all who came meanwhile', async () => {
    const STALL_MS = 200;
    let requests = 0;
    const target = await serve((_request, response) => {
      // The warm-up has some, and the stall is to come in the stretch.
      if (++requests === 100) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
      response.end('hello');
    });
    const figures = await run(target, { load, warmup: 0 });
    expect(figures.begun + figures.unsent).toBe(200);
    expect(figures.operations + figures.unsent).toBe(200);
    // Of 200 requests 100 fell into the stall: a hundredth of all waited for nearly all of it. A client that waits for
    // its answer before it asks again would have seen one.
    expect(quantileOf(figures.latency, 0.99)).toBeGreaterThan(0.9 * STALL_MS * 1e3);
  });

  test('opens a connection where none is idle, up to its bound', async () => {
    const held: http.ServerResponse[] = [];
    const target = await serve((_request, response) => {
      held.push(response);
    });
    const figures = await run(target, { load: { ...load, connections: 16 }, warmup: 0, patience: 0.1 });
    expect(held).toHaveLength(16);
    expect(figures).toMatchObject({ begun: 16, operations: 0, errors: 200 });
    expect(figures).toMatchObject({ unsent: 184, unanswered: 16 });
    // They waited: the first for all of the stretch and the patience.
    expect(quantileOf(figures.latency, 0.99)).toBeGreaterThan(0.39e6);
  });

  test('counts a full listen queue as what it is', async () => {
    const { path } = await stoppedServer(1);
    const figures = await run({ path }, { load, warmup: 0, patience: 0 });
    // What is asked for as the stretch ends counts as unsent or not at all.
    expect(figures.connectErrors[process.platform === 'linux' ? EAGAIN : ECONNREFUSED]).toBe(figures.begun - 2);
    expect(figures.unanswered).toBe(2);
  });
});

describe.skipIf(floor === '' || isMissing(stackNamed('nginx')))('the plain C server', () => {
  test.each(['nginx-uwsgi-unix', 'nginx-uwsgi-tcp', 'nginx-node-unix-keep', 'nginx-node-tcp-close'])(
    'answers behind nginx as in %s',
    async (name) => {
      const processes = await Processes.start(signal);
      cleanup(() => processes.end());
      const { configuration } = chainOf(stackNamed(name), 3000, undefined).steps[1] ?? {};
      const place = { processes, programs, wsgi: undefined, app: undefined, signal };
      const running = await configuration?.start(place);
      cleanup(() => running?.stop());
      expect(running?.pids('app').length).toBeGreaterThan(0);
      const figures = await run(running?.target ?? { path: '' }, { work: work({ path: '/', answerBytes: 3000 }) });
      expect(describeFailures(figures)).toBe('');
    },
  );
});
