/** Connections of fetch handlers: requests ahead of responses, ends, timeouts, and what node reads. */
import { once } from 'node:events';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FetchInfo } from 'nearwire/http';
import {
  chunked,
  CLOSE,
  connect,
  dechunked,
  deferred,
  exchange,
  get,
  HOST,
  inbox,
  Inbox,
  never,
  post,
  start,
  watchReports,
  ways,
} from '../support/fetch-servers.js';
import { connectionsOf } from '../support/sockets.js';

const reports = watchReports();

describe.each(ways)('connections: $name', (way) => {
  const echo = async (request: Request): Promise<Response> =>
    new Response(`<${new URL(request.url).pathname} ${await request.text()}>`);

  it('requests ahead of their responses are answered in order, whoever reads them', async () => {
    const { address } = await start(way, async (request) => {
      // The first ones take longest.
      const turns = request.url.endsWith('/1') ? 20 : request.url.endsWith('/2') ? 10 : 0;
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      return echo(request);
    });
    const mixes = [
      [get('/1'), chunked('/2', 'a', 'b'), get('/3'), post('/4', 'c'), get('/5', CLOSE)],
      [chunked('/1', 'a', 'b'), get('/2'), chunked('/3', 'a'), get('/4'), get('/5', CLOSE)],
      [post('/1', 'c'), post('/2', 'd'), post('/3', ''), chunked('/4'), get('/5', CLOSE)],
    ];
    for (const mix of mixes) {
      const answer = await exchange(address, mix.join(''));
      expect(answer.match(/<\/\d/g)).toEqual(['</1', '</2', '</3', '</4', '</5']);
    }
  });

  it('more requests ahead than are served at once', async () => {
    let running = 0;
    let most = 0;
    const { address } = await start(way, async (request) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return echo(request);
    });
    const paths = Array.from({ length: 200 }, (_, i) => `/${String(i)}`);
    const asked = paths.map((path, i) =>
      i % 50 === 7 ? chunked(path, 'a') : i % 3 === 0 ? post(path, 'b') : get(path),
    );
    const expected = paths.map((path) => `<${path}`);
    const answer = await exchange(address, asked.join('') + get('/end', CLOSE));
    expect(answer.match(/<\/\d+/g)).toEqual(expected);
    most = 0;
    const plain = await exchange(address, paths.map((path) => get(path)).join('') + get('/end', CLOSE));
    expect(plain.match(/<\/\d+/g)).toEqual(expected);
    if (way.name === 'native') expect(most).toBe(32);
  });

  it('streamed responses to requests ahead, to a client that reads late', async () => {
    const piece = Buffer.alloc(50_000, 'ab');
    const { address } = await start(way, ({ url }) => {
      let left = 20;
      return new Response(
        new ReadableStream({
          async pull(controller) {
            if (url.endsWith('/1')) await new Promise((resolve) => setImmediate(resolve));
            if (left-- > 0) controller.enqueue(new Uint8Array(piece));
            else controller.close();
          },
        }),
        { headers: url.endsWith('/3') ? { 'Content-Length': String(20 * piece.length) } : {} },
      );
    });
    const client = connect(address);
    client.pause();
    client.write(get('/1') + get('/2') + get('/3') + get('/4', CLOSE));
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    const box = new Inbox(client);
    client.resume();
    const whole = piece.toString('latin1').repeat(20);
    const parts = (await box.untilClosed()).split(/HTTP\/1.1 200 OK[^]*?\r\n\r\n/).slice(1);
    expect(parts.map((part, i) => (i === 2 ? part : dechunked(part)) === whole)).toEqual([true, true, true, true]);
  });

  it('a request that comes byte by byte, and one in two pieces', async () => {
    const { address } = await start(way, echo);
    const client = inbox(address);
    client.socket.setNoDelay(true);
    client.socket.write(get('/whole'));
    await client.until('</whole >');
    for (const byte of post('/slow', 'abc')) {
      client.socket.write(byte, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until('</slow abc>');
    client.socket.write(get('/whole'));
    await client.until('</whole >');
  });

  it('64 at once, of which some go away', async () => {
    const { address } = await start(way, echo);
    const clients = Array.from({ length: 64 }, () => inbox(address));
    const work = clients.map(async (client, i) => {
      for (let round = 0; round < 5; round++) {
        const body = `${String(i)}-${String(round)}`;
        const kind = (i + round) % 4;
        client.socket.write(
          kind === 3 ? chunked(`/${body}`, body) : kind === 2 ? post(`/${body}`, body) : get(`/${body}`),
        );
        await client.until(`</${body} ${kind > 1 ? body : ''}>`);
        if (i % 8 === round) {
          client.socket.destroy();
          return;
        }
      }
    });
    await Promise.all(work);
  });

  it('what cannot be read is answered with 400', async () => {
    const { address } = await start(way, echo);
    const client = inbox(address);
    client.socket.write(get('/1'));
    await client.until('</1 >');
    client.socket.write('NONSENSE\r\n\r\n');
    expect(await client.untilClosed()).toBe('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });

  it("'clientError' gets a socket that answers", async () => {
    const { server, address } = await start(way, echo);
    const codes: unknown[] = [];
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      codes.push(error.code);
      socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
    });
    expect(await exchange(address, 'NONSENSE\r\n\r\n')).toBe('HTTP/1.1 418 Teapot\r\n\r\n');
    expect(codes).toEqual(['HPE_INVALID_METHOD']);
  });

  it('one that rests is closed after keepAliveTimeout', async () => {
    const { address } = await start(way, echo, { keepAliveTimeout: 50 });
    const client = inbox(address);
    client.socket.write(get('/1'));
    await client.until('</1 >');
    client.socket.write(get('/2'));
    await client.until('</2 >');
    expect(await client.untilClosed()).toBe('');
  });

  it('a body that does not come is answered with 408', async () => {
    const asked = deferred<AbortSignal>();
    const { address } = await start(
      way,
      async (request) => {
        asked.resolve(request.signal);
        return echo(request);
      },
      { requestTimeout: 500, headersTimeout: 450, connectionsCheckingInterval: 20 },
    );
    const client = inbox(address);
    client.socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 6\r\n\r\nabc`);
    expect(await client.untilClosed()).toBe('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    if (!(await asked.promise).aborted) await once(await asked.promise, 'abort');
    reports();
  });

  it('a request that does not come is answered with 408', async () => {
    const { address } = await start(way, echo, {
      requestTimeout: 100,
      headersTimeout: 50,
      connectionsCheckingInterval: 20,
    });
    expect(await inbox(address).untilClosed()).toBe('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
  });

  it('server.setTimeout() closes one that is silent, and its listener may keep it', async () => {
    const asked = deferred<AbortSignal>();
    const { server, address } = await start(way, (request) => {
      asked.resolve(request.signal);
      return never;
    });
    server.setTimeout(50);
    const client = inbox(address);
    client.socket.write(get('/'));
    const signal = await asked.promise;
    expect(await client.untilClosed()).toBe('');
    if (!signal.aborted) await once(signal, 'abort');
    const heard = once(server, 'timeout');
    const second = inbox(address);
    second.socket.write(get('/'));
    const [socket] = (await heard) as [net.Socket];
    socket.end('bye');
    expect(await second.untilClosed()).toBe('bye');
  });

  it('server.close() in a handler: the response still comes, and the server closes', async () => {
    const { server, address } = await start(way, () => {
      server.close();
      return new Response('last');
    });
    const closed = once(server, 'close');
    expect(await exchange(address, get('/', CLOSE))).toContain('last');
    await closed;
  });

  it('server.close() closes what rests; closeAllConnections() what does not', async () => {
    const asked = deferred<Request>();
    const { server, address } = await start(way, (request) => {
      if (!request.url.endsWith('/wait')) return new Response('done');
      asked.resolve(request);
      return never;
    });
    const resting = inbox(address);
    resting.socket.write(get('/'));
    await resting.until('done');
    const waiting = inbox(address);
    waiting.socket.write(get('/wait'));
    const { signal } = await asked.promise;
    expect(await connectionsOf(server)).toBe(2);
    const closed = once(server, 'close');
    server.close();
    expect(await resting.untilClosed()).toBe('');
    expect(signal.aborted).toBe(false);
    const aborted = once(signal, 'abort');
    server.closeAllConnections();
    expect(await waiting.untilClosed()).toBe('');
    await aborted;
    await closed;
  });

  it('maxRequestsPerSocket', async () => {
    const { server, address } = await start(way, echo);
    server.maxRequestsPerSocket = 2;
    const answer = await exchange(address, get('/1') + get('/2') + get('/3', CLOSE));
    expect(answer).toMatch(/<\/1 >[^]*Connection: close\r\n[^]*<\/2 >HTTP\/1.1 503 /);
  });

  it('a client that ends its side after a request', async () => {
    const { server, address } = await start(way, echo);
    server.on('connection', () => undefined);
    const client = inbox(address);
    client.socket.end(get('/1', CLOSE));
    expect(await client.untilClosed()).toContain('</1 >');
  });

  it("the client's address, asked for after a request that node reads", async () => {
    const infos: FetchInfo[] = [];
    const { address } = await start(
      way,
      (request, info) => {
        infos.push(info);
        return echo(request);
      },
      {},
      'tcp',
    );
    const client = inbox(address);
    client.socket.write(get('/1'));
    await client.until('</1 >');
    client.socket.write(chunked('/2', 'a'));
    await client.until('</2 a>');
    expect(infos.map((info) => info.remoteAddress)).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(infos.map((info) => info.remotePort)).toEqual(Array(2).fill(client.socket.localPort));
  });

  it('an upgrade goes to its listener', async () => {
    const { server, address } = await start(way, echo);
    server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nraw');
    });
    const client = inbox(address);
    client.socket.write(get('/1'));
    await client.until('</1 >');
    client.socket.write(get('/2', 'Connection: Upgrade\r\nUpgrade: raw\r\n'));
    expect(await client.untilClosed()).toMatch(/raw$/);
  });

  it('Expect: 100-continue', async () => {
    const { address } = await start(way, echo);
    const client = inbox(address);
    client.socket.write(`POST /1 HTTP/1.1\r\n${HOST}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n`);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.socket.write('abc');
    await client.until('</1 abc>');
  });

  it("another listener of 'request' sees each of them", async () => {
    const seen: unknown[] = [];
    const { server, address } = await start(way, (request, info: FetchInfo) => {
      expect(info.remoteAddress).toBeUndefined();
      return echo(request);
    });
    const client = inbox(address);
    client.socket.write(get('/1'));
    await client.until('</1 >');
    server.prependListener('request', ({ url }) => seen.push(url));
    client.socket.write(get('/2') + post('/3', 'abc'));
    await client.until('</3 abc>');
    expect(seen).toEqual(['/2', '/3']);
  });
});
