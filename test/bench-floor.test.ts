/** The plain C program: that its servers of bodies and its relay are right, and that its client notices who is not. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { describe, expect, test } from 'vitest';

import { quantileOf, type LatencyHistogram } from '../bench/histogram.js';
import { floorPattern } from '../bench/work/pattern.js';
import { serveByFloor, startFloor } from './support/floor.js';
import { requireOrSkip } from './support/requirements.js';
import { listen, temporaryDirectory } from './support/sockets.js';

const floor = requireOrSkip('floor');

/** As the program tells it. */
type Latency = LatencyHistogram & Readonly<Record<'p50' | 'p90' | 'p99', number>>;

interface LoadOutcome {
  readonly code: number | null;
  readonly errors: number | undefined;
  readonly operations: number;
  readonly latency: Latency | undefined;
  readonly stderr: string;
}

/** The client's work against a server of the test. */
async function load(name: string, path: string, bytes: number, connections = 2): Promise<LoadOutcome> {
  const times = ['--warmup', '0.05', '--seconds', '0.05'];
  return loadWith(name, path, '--bytes', String(bytes), '--connections', String(connections), ...times);
}

async function loadWith(name: string, path: string, ...words: readonly string[]): Promise<LoadOutcome> {
  const child = startFloor(['load', '--case', name, '--family', 'unix', '--address', path, ...words]);
  const { stdin, stdout, stderr } = child;
  const failure = text(stderr);
  let told = '';
  stdin.on('error', () => undefined);
  stdout.setEncoding('utf8').on('data', (part: string) => {
    told += part;
    if (part.includes('warm')) stdin.write('go\n');
    if (part.includes('result')) stdin.end();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const line = told.split('\n').find((entry) => entry.includes('result'));
  const { result } = (line === undefined ? {} : JSON.parse(line)) as {
    result?: { errors: number; operations: number; latency?: Latency };
  };
  const { errors, operations = 0, latency } = result ?? {};
  return { code, errors, operations, latency, stderr: await failure };
}

async function listening(server: net.Server): Promise<string> {
  const { path } = await listen(server, 'unix');
  if (path === undefined) throw new Error('it listens');
  return path;
}

/** The bodies of so many answers on one connection. */
async function bodies(path: string, requests: number): Promise<Buffer[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const asked = Array.from({ length: requests }, async () => {
    const request = http.get({ socketPath: path, path: '/body', agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(200);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    expect(response.headers['content-length']).toBe(String(body.length));
    return body;
  });
  const all = await Promise.all(asked);
  agent.destroy();
  return all;
}

describe.skipIf(floor === undefined)('plain C', () => {
  const ways = ['0', '1'].flatMap((copy) => [1, 65536, 1048576].map((bytes) => ({ copy, bytes })));

  test.each(ways)('answers with a file of $bytes bytes, --copy $copy', async ({ copy, bytes }) => {
    const file = join(temporaryDirectory(), `body-${String(bytes)}`);
    writeFileSync(file, floorPattern(bytes));
    const path = await serveByFloor('file', '--copy', copy, '--file', file);
    for (const body of await bodies(path, 3)) expect(body.equals(floorPattern(bytes))).toBe(true);
  });

  test.each(ways)('answers with a page of $bytes bytes, --copy $copy', async ({ copy, bytes }) => {
    const path = await serveByFloor('page', '--copy', copy, '--bytes', String(bytes));
    for (const body of await bodies(path, 3)) expect(body.equals(floorPattern(bytes))).toBe(true);
  });

  test.each(ways)('answers with the same $bytes bytes again, --copy $copy', async ({ copy, bytes }) => {
    const path = await serveByFloor('http-same', '--copy', copy, '--bytes', String(bytes));
    for (const body of await bodies(path, 3)) expect(body.equals(floorPattern(bytes))).toBe(true);
  });

  test.each([4, 65536, 1048576])('answers with another body of %i bytes each time', async (bytes) => {
    const path = await serveByFloor('http-body', '--bytes', String(bytes));
    const all = await bodies(path, 3);
    expect(all.map((body) => body.readUInt32LE())).toEqual([1, 2, 3]);
    for (const body of all) expect(body.subarray(4).equals(Buffer.alloc(bytes - 4, 'x'))).toBe(true);
  });

  test('has no room for a number in a body that is too small', async () => {
    const { code, stderr } = await load('http-body', '/nowhere', 3);
    expect(stderr).toContain('at least 4');
    expect(code).toBe(2);
  });

  test('answers messages whole, however they come', async () => {
    const bytes = 7;
    const socket = net.connect(await serveByFloor('pipeline', '--bytes', String(bytes)));
    const sent = floorPattern(bytes * 20_000);
    let received = Buffer.alloc(0);
    const came = new Promise<void>((resolve) => {
      socket.on('data', (part) => {
        received = Buffer.concat([received, part]);
        if (received.length === sent.length) resolve();
      });
    });
    socket.write(sent.subarray(0, 5));
    socket.write(sent.subarray(5, bytes + 1), () => {
      socket.write(sent.subarray(bytes + 1));
    });
    await came;
    expect(received.equals(sent)).toBe(true);
    socket.write(sent.subarray(0, bytes - 1));
    socket.end();
    await once(socket, 'close');
    // The last one had not come whole.
    expect(received.length).toBe(sent.length);
  });

  test.each(['0', '1'])('relays both ways at once, and the end of either, --copy %s', async (copy) => {
    const path = await serveByFloor('relay', '--copy', copy);
    const first = net.connect(path);
    const second = net.connect(path);
    const sent = floorPattern(3_000_000);
    const received = [first, second].map(
      (socket) =>
        new Promise<Buffer>((resolve) => {
          const parts: Buffer[] = [];
          socket.on('data', (part) => {
            parts.push(part);
            if (parts.reduce((sum, { length }) => sum + length, 0) >= sent.length) resolve(Buffer.concat(parts));
          });
        }),
    );
    first.write(sent);
    second.write(sent);
    for (const body of await Promise.all(received)) expect(body.equals(sent)).toBe(true);
    first.destroy();
    const third = net.connect(path);
    const fourth = net.connect(path);
    third.end('the last words');
    expect(await text(fourth)).toBe('the last words');
  });
});

describe.skipIf(floor === undefined)('an open loop of plain C', () => {
  /** Stands still once for so long, as a long collection does. */
  async function stalling(milliseconds: number, afterRequests: number): Promise<string> {
    let left = afterRequests;
    return listening(
      http.createServer((_request, response) => {
        if (--left === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
        response.end('hello world\n');
      }),
    );
  }
  // Of a closed warm-up as many requests as the machine lets through: the stall is to come in the stretch.
  const words = ['--rate', '500', '--connections', '64', '--answer', '12', '--warmup', '0', '--seconds', '1'];

  test('charges a stall of 200 ms to all who were due in it, not to the 64 that were under way', async () => {
    const { code, latency } = await loadWith('load', await stalling(200, 250), ...words);
    expect(code).toBe(0);
    const count = latency?.count ?? 0;
    expect(Math.abs(count - 500)).toBeLessThanOrEqual(1);
    // A hundred of 500 are due in the stall, evenly: a tenth of all waits for 100 ms or more.
    expect(latency?.p99).toBeGreaterThan(150_000);
    expect(latency?.p90).toBeGreaterThan(80_000);
    expect(latency?.max).toBeGreaterThan(190_000);
  });

  test('tells its histogram, of which every request is a part', async () => {
    const { latency } = await loadWith('load', await stalling(0, 0), ...words);
    const { count = 0, steps = [], p50 = NaN, max = NaN } = latency ?? {};
    expect(steps.reduce((sum, [, held]) => sum + held, 0)).toBe(count);
    expect(quantileOf({ count, max, steps }, 0.5)).toBeCloseTo(p50, 3);
  });

  test('sends the bytes of a file as the body of each request', async () => {
    const file = join(temporaryDirectory(), 'request.json');
    writeFileSync(file, '{"a": [1, 2]}');
    const bodies = new Set<string>();
    const path = await listening(
      http.createServer((request, response) => {
        void text(request).then((body) => {
          bodies.add(`${request.method ?? ''} ${body}`);
          response.end('hello world\n');
        });
      }),
    );
    const { errors } = await loadWith('load', path, ...words, '--method', 'POST', '--file', file);
    expect(errors).toBe(0);
    expect([...bodies]).toEqual(['POST {"a": [1, 2]}']);
  });
});

describe.skipIf(floor === undefined)('the client of plain C', () => {
  const bytes = 100_000;
  const right = floorPattern(bytes);
  const swapped = Buffer.from(right);
  swapped.writeUInt8((right[bytes >> 1] ?? 0) ^ 1, bytes >> 1);
  // What stands elsewhere in the stream.
  const shifted = Buffer.concat([right.subarray(1), right.subarray(0, 1)]);

  /** Answers with what is told for the nth request of a connection. */
  const answering = (bodyOf: (request: number) => Buffer): Promise<string> => {
    const requests = new WeakMap<net.Socket, number>();
    return listening(
      http.createServer((request, response) => {
        const before = requests.get(request.socket) ?? 0;
        requests.set(request.socket, before + 1);
        const body = bodyOf(before);
        response.writeHead(200, { 'Content-Length': body.length });
        response.end(body);
      }),
    );
  };

  test('is content with the right bodies', async () => {
    const { code, errors, operations } = await load('page', await answering(() => right), bytes);
    expect({ code, errors }).toEqual({ code: 0, errors: 0 });
    expect(operations).toBeGreaterThan(0);
  });

  test.each([
    { what: 'a byte in the first body', bodyOf: () => swapped, told: 'a body that is not what was asked for' },
    {
      what: 'later bodies',
      bodyOf: (request: number) => (request === 0 ? right : shifted),
      told: 'a body that is not what was asked for',
    },
    { what: 'the length', bodyOf: () => right.subarray(1), told: 'not what was asked for' },
    { what: 'that something follows', bodyOf: () => Buffer.concat([right, right]), told: 'not what was asked for' },
    { what: 'that it ends early', bodyOf: () => right.subarray(0, bytes - 1), told: 'a body of 99999 bytes' },
  ])('notices $what', async ({ bodyOf, told }) => {
    const { code, stderr } = await load('file', await answering(bodyOf), bytes);
    expect(stderr).toContain(told);
    expect(code).toBe(1);
  });

  test('notices a body that has been sent before', async () => {
    let made = 0;
    const numbered = (number: number): Buffer => {
      const body = Buffer.alloc(bytes, 'x');
      body.writeUInt32LE(number);
      return body;
    };
    const fresh = await load('http-body', await answering(() => numbered(++made)), bytes);
    expect({ code: fresh.code, errors: fresh.errors }).toEqual({ code: 0, errors: 0 });
    const stale = await load('http-body', await answering((request) => numbered(Math.min(request, 3) + 1)), bytes);
    expect(stale.stderr).toContain('a body that has been sent before');
    expect(stale.code).toBe(1);
  });

  test('has a crowd wait until all have asked, and reads then', async () => {
    const requests = new Set<http.ServerResponse>();
    let most = 0;
    const server = http.createServer((_request, response) => {
      requests.add(response);
      response.on('finish', () => requests.delete(response));
      most = Math.max(most, requests.size);
      response.end(floorPattern(1_000_000));
    });
    const { code, errors, operations } = await load('crowd', await listening(server), 1_000_000, 200);
    expect({ code, errors, operations }).toEqual({ code: 0, errors: 0, operations: 200 });
    // Nobody's answer went out whole before everyone had asked: a socket holds less.
    expect(most).toBe(200);
  });

  test('notices a wrong body in a crowd', async () => {
    const { code, stderr } = await load('crowd', await answering(() => shifted), bytes, 100);
    expect(stderr).toContain('a body that is not what was asked for');
    expect(code).toBe(1);
  });

  /** Relays, and has each chunk changed from the given number of bytes on. */
  const relaying = (from: number, change: (chunk: Buffer) => Buffer): Promise<string> => {
    let single: net.Socket | undefined;
    return listening(
      net.createServer((socket) => {
        socket.on('error', () => undefined);
        if (!single) {
          single = socket;
          return;
        }
        const source = single;
        single = undefined;
        let passed = 0;
        source.on('data', (chunk: Buffer) => {
          passed += chunk.length;
          if (!socket.write(passed > from ? change(chunk) : chunk)) source.pause();
        });
        socket.on('drain', () => source.resume());
      }),
    );
  };

  test('is content with a relay', async () => {
    const { code, errors, operations } = await load('relay', await relaying(Infinity, (chunk) => chunk), bytes);
    expect({ code, errors }).toEqual({ code: 0, errors: 0 });
    expect(operations).toBeGreaterThan(0);
  });

  test.each([
    {
      what: 'changes a byte',
      from: 0,
      change: (chunk: Buffer) => Buffer.concat([chunk.subarray(0, -1), Buffer.from([(chunk.at(-1) ?? 0) ^ 1])]),
    },
    { what: 'loses one', from: 1_000_000, change: (chunk: Buffer) => chunk.subarray(1) },
    { what: 'sends more', from: 1_000_000, change: (chunk: Buffer) => Buffer.concat([chunk, chunk]) },
  ])('notices a relay that $what', async ({ from, change }) => {
    const { code, stderr } = await load('relay', await relaying(from, change), bytes);
    expect(stderr).toContain('what comes out is not what went in');
    expect(code).toBe(1);
  });
});

describe.skipIf(floor === undefined)('an open loop of plain C', () => {
  const CONNECTIONS = 8;

  /** Answers after what `delayOf` tells of the nth request, in ms; at once, if it tells nothing. */
  const answeringAfter = (
    delayOf: (request: number) => number | undefined,
    seen: (open: number, at: number) => void = () => undefined,
  ): Promise<string> => {
    let requests = 0;
    let open = 0;
    return listening(
      http.createServer((_request, response) => {
        seen(++open, performance.now());
        const answer = (): void => {
          open--;
          response.end('hello world\n');
        };
        const delay = delayOf(requests++);
        if (delay === undefined) answer();
        else setTimeout(answer, delay);
      }),
    );
  };

  /** At 500 requests a second, for 0.4 s: some 200. */
  const open = (path: string, arrival: string, seed = 1): Promise<LoadOutcome> => {
    const schedule = ['--rate', '500', '--arrival', arrival, '--seed', String(seed)];
    // A warm-up of one request on each connection.
    const times = ['--warmup', '0', '--seconds', '0.4'];
    const words = ['--connections', String(CONNECTIONS), '--answer', '12'];
    return loadWith('load', path, ...words, ...schedule, ...times);
  };

  test('asks what its schedule says, the same for a seed and another for the next', async () => {
    const path = await answeringAfter(() => undefined);
    const counts: number[] = [];
    for (const seed of [1, 1, 2, 3]) {
      const { code, latency } = await open(path, 'poisson', seed);
      expect(code).toBe(0);
      counts.push(latency?.count ?? NaN);
    }
    const [first, again, ...others] = counts;
    expect(again).toBe(first);
    expect(others.some((count) => count !== first)).toBe(true);
    // 200, of which chance makes 100 or 300 as good as never.
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(100);
  });

  test('charges a server that stalls with all who were due meanwhile', async () => {
    const stalling = await answeringAfter((request) => {
      // In the midst of the measured stretch, and all connections wait.
      if (request === 2 * CONNECTIONS + 50) for (const end = performance.now() + 150; performance.now() < end;);
      return undefined;
    });
    const { code, latency } = await open(stalling, 'even');
    expect({ code, due: latency?.count }).toEqual({ code: 0, due: 200 });
    expect(latency?.max).toBeGreaterThan(100_000);
    // 75 of 200 were due in the stall; a client that waits with it would have sent 8 of them.
    expect(latency?.p90).toBeGreaterThan(50_000);
  });

  test('asks in bursts of as many as there are connections', async () => {
    let most = 0;
    const times: number[] = [];
    const path = await answeringAfter(
      () => 1,
      (open, at) => {
        most = Math.max(most, open);
        times.push(at);
      },
    );
    const { code, latency } = await open(path, 'burst');
    expect({ code, due: latency?.count }).toEqual({ code: 0, due: 200 });
    expect(most).toBe(CONNECTIONS);
    // Of the last 192 that came, those of a burst are nearer to each other than to the next burst, 16 ms later.
    const measured = times.slice(-192);
    const gaps = measured.slice(1).map((at, i) => at - (measured[i] ?? 0));
    expect(gaps.filter((gap) => gap > 5).length).toBeGreaterThan(12);
  });
});
