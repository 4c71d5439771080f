/** The plain C program: that its servers of bodies and its relay are right, and that its client notices who is not. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { commandWords } from '../../bench/cell-processes.js';
import type { LatencyHistogram } from '../../bench/histogram.js';
import type { LoadResult, Params } from '../../bench/model.js';
import { floorPattern } from '../../bench/work/pattern.js';
import { serveByFloor, startFloor } from '../support/floor.js';
import { requireOrSkip } from '../support/requirements.js';
import { listen, readBytes, temporaryDirectory } from '../support/sockets.js';

const floor = requireOrSkip('floor');

interface LoadOutcome {
  readonly code: number | null;
  readonly errors: number | undefined;
  readonly operations: number;
  readonly latency: LatencyHistogram;
  readonly stderr: string;
}

/** The client's work against a server of the test, in the measured stretch. */
async function load(name: string, path: string, words: Params): Promise<LoadOutcome> {
  const child = startFloor(['load', ...commandWords({ case: name, family: 'unix', address: path, ...words })]);
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
  const { result } = (line === undefined ? {} : JSON.parse(line)) as { result?: LoadResult };
  const { errors, operations = 0, latency = { count: NaN, max: NaN, steps: [] } } = result ?? {};
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
  test.each([
    [['--case', 'rtt'], 'a role is missing'],
    [['serve', '--case', 'nothing'], 'unknown case "nothing"'],
    [['serve', '--case', 'rtt', '--bytes', '64k'], '--bytes: no number: 64k'],
    [['load', '--case', 'rtt', '--seconds', '-1'], '--seconds: no number: -1'],
    [['load', '--case', 'rtt', '--bytes'], 'no pair of a name and a value: --bytes'],
    [['load', '--case', 'rtt', '--family', 'tcp', '--address', 'here:1'], 'no ADDRESS:PORT: here:1'],
  ])('refuses %o', async (words, complaint) => {
    const child = startFloor(words);
    const said = text(child.stderr);
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, said: await said }).toEqual({ code: 1, said: expect.stringContaining(complaint) as string });
  });

  const ways = ['file', 'page', 'http-same'].flatMap((name) =>
    ['0', '1'].flatMap((copy) => [1, 65536, 1048576].map((bytes) => ({ name, copy, bytes }))),
  );

  test.each(ways)('answers with the $bytes bytes of $name, --copy $copy', async ({ name, copy, bytes }) => {
    const file = join(temporaryDirectory(), 'body');
    writeFileSync(file, floorPattern(bytes));
    const path = await serveByFloor(name, '--copy', copy, '--bytes', String(bytes), '--file', file);
    for (const body of await bodies(path, 3)) expect(body.equals(floorPattern(bytes))).toBe(true);
  });

  test.each([4, 65536, 1048576])('answers with another body of %i bytes each time', async (bytes) => {
    const path = await serveByFloor('http-body', '--bytes', String(bytes));
    const all = await bodies(path, 3);
    expect(all.map((body) => body.readUInt32LE())).toEqual([1, 2, 3]);
    for (const body of all) expect(body.subarray(4).equals(Buffer.alloc(bytes - 4, 'x'))).toBe(true);
  });

  test('answers messages whole, however they come', async () => {
    const bytes = 7;
    const socket = net.connect(await serveByFloor('pipeline', '--bytes', String(bytes)));
    const sent = floorPattern(bytes * 20_000);
    const received = readBytes(socket, sent.length);
    socket.write(sent.subarray(0, 5));
    socket.write(sent.subarray(5, bytes + 1), () => {
      socket.write(sent.subarray(bytes + 1));
    });
    expect((await received).equals(sent)).toBe(true);
    // What has not come whole is not answered.
    socket.end(sent.subarray(0, bytes - 1));
    expect(await text(socket)).toBe('');
  });

  test.each(['0', '1'])('relays both ways at once, and the end of either, --copy %s', async (copy) => {
    const path = await serveByFloor('relay', '--copy', copy);
    const first = net.connect(path);
    const second = net.connect(path);
    const sent = floorPattern(3_000_000);
    const received = [first, second].map((socket) => readBytes(socket, sent.length));
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

describe.skipIf(floor === undefined)('the client of plain C', () => {
  const bytes = 100_000;
  const SHORT = { bytes, connections: 2, warmup: 0.05, seconds: 0.05 };
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

  const numbered = (number: number): Buffer => {
    const body = Buffer.alloc(bytes, 'x');
    body.writeUInt32LE(number);
    return body;
  };

  /** Relays, and has each chunk changed from the given number of bytes on. */
  const relaying = (from: number, change: (chunk: Buffer) => Buffer): Promise<string> => {
    let single: net.Socket | undefined;
    return listening(
      net.createServer((socket) => {
        socket.on('error', () => undefined);
        const source = single;
        single = source ? undefined : socket;
        if (!source) return;
        let passed = 0;
        source.on('data', (chunk: Buffer) => {
          passed += chunk.length;
          if (!socket.write(passed > from ? change(chunk) : chunk)) source.pause();
        });
        socket.on('drain', () => source.resume());
      }),
    );
  };
  const lastSwapped = (chunk: Buffer): Buffer =>
    Buffer.concat([chunk.subarray(0, -1), Buffer.from([(chunk.at(-1) ?? 0) ^ 1])]);

  let made = 0;
  test.each([
    { name: 'page', serve: () => answering(() => right) },
    { name: 'http-body', serve: () => answering(() => numbered(++made)) },
    { name: 'relay', serve: () => relaying(Infinity, (chunk) => chunk) },
  ])('is content with the right bytes in $name', async ({ name, serve }) => {
    const { code, errors, operations } = await load(name, await serve(), SHORT);
    expect({ code, errors }).toEqual({ code: 0, errors: 0 });
    expect(operations).toBeGreaterThan(0);
  });

  const other = 'a body that is not what was asked for';
  const out = 'what comes out is not what went in';
  const again = (request: number): Buffer => numbered(Math.min(request, 3) + 1);
  const later = (request: number): Buffer => (request === 0 ? right : shifted);
  test.each<[what: string, name: string, told: string, serve: () => Promise<string>]>([
    ['a byte in the first body', 'file', other, () => answering(() => swapped)],
    ['later bodies', 'file', other, () => answering(later)],
    ['the length', 'file', other, () => answering(() => right.subarray(1))],
    ['what follows', 'file', other, () => answering(() => Buffer.concat([right, right]))],
    ['an early end', 'file', 'a body of 99999 bytes', () => answering(() => right.subarray(0, bytes - 1))],
    ['an old body', 'http-body', 'a body that has been sent before', () => answering(again)],
    ['a wrong body in a crowd', 'crowd', other, () => answering(() => shifted)],
    ['a relay that changes a byte', 'relay', out, () => relaying(0, lastSwapped)],
    ['a relay that loses one', 'relay', out, () => relaying(1e6, (chunk) => chunk.subarray(1))],
    ['a relay that sends more', 'relay', out, () => relaying(1e6, (chunk) => Buffer.concat([chunk, chunk]))],
  ])('notices %s', async (_what, name, told, serve) => {
    const { code, stderr } = await load(name, await serve(), SHORT);
    expect(stderr).toContain(told);
    expect(code).toBe(1);
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
    const words = { ...SHORT, bytes: 1_000_000, connections: 200 };
    const { code, errors, operations } = await load('crowd', await listening(server), words);
    expect({ code, errors, operations }).toEqual({ code: 0, errors: 0, operations: 200 });
    // Nobody's answer went out whole before everyone had asked: a socket holds less.
    expect(most).toBe(200);
  });
});

describe.skipIf(floor === undefined)('an open loop of plain C', () => {
  const CONNECTIONS = 8;
  // Without a warm-up, of which nobody knows how many requests it has.
  const words = { connections: CONNECTIONS, answer: 12, rate: 500, warmup: 0, seconds: 0.4 };

  /** Tells of each request how many are there with it; it is answered when that is over. */
  const answering = (seen: (open: number, body: string) => void | Promise<void>): Promise<string> => {
    let open = 0;
    return listening(
      http.createServer((request, response) => {
        open++;
        void text(request).then(async (body) => {
          await seen(open, `${request.method ?? ''} ${body}`);
          open--;
          response.end('hello world\n');
        });
      }),
    );
  };

  test('sends the bytes of a file as each request', async () => {
    const request = join(temporaryDirectory(), 'request');
    writeFileSync(request, 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n{"a": [1, 2]}');
    const bodies = new Set<string>();
    const path = await answering((_open, body) => void bodies.add(body));
    const { operations } = await load('load', path, { ...words, request });
    expect(operations).toBeGreaterThan(0);
    expect([...bodies]).toEqual(['POST {"a": [1, 2]}']);
  });

  test('asks what its schedule says, the same for a seed and another for the next', async () => {
    const path = await answering(() => undefined);
    const counts: number[] = [];
    for (const seed of [1, 1, 2, 3]) {
      const { code, latency } = await load('load', path, { ...words, arrival: 'poisson', seed });
      expect(code).toBe(0);
      expect(latency.steps.reduce((sum, [, held]) => sum + held, 0)).toBe(latency.count);
      counts.push(latency.count);
    }
    const [first, again, ...others] = counts;
    expect(again).toBe(first);
    expect(others.some((count) => count !== first)).toBe(true);
    // 200, of which chance makes 100 or 300 as good as never.
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(100);
  });

  test('asks in bursts of as many as there are connections', async () => {
    let most = 0;
    const times: number[] = [];
    const path = await answering(async (open) => {
      most = Math.max(most, open);
      times.push(performance.now());
      await setTimeout(1);
    });
    const { code, latency } = await load('load', path, { ...words, arrival: 'burst' });
    expect({ code, due: latency.count }).toEqual({ code: 0, due: 200 });
    expect(most).toBe(CONNECTIONS);
    // Those of a burst are nearer to each other than to the next burst, 16 ms later.
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(gaps.filter((gap) => gap > 5).length).toBeGreaterThan(12);
  });
});
