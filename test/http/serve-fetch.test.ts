/** Fetch handlers: what a client is sent, who reads, and options, the same in each way that serve() has. */
import * as diagnostics from 'node:diagnostics_channel';
import * as http from 'node:http';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { serve, type ServeOptions } from 'nearwire/http';
import { chunked, CLOSE, exchange, get, inbox, makers, post, start, ways } from '../support/fetch-servers.js';
import { cleanup } from '../support/sockets.js';

const streamOf = (...pieces: (string | Uint8Array)[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    async pull(controller) {
      // In a turn of its own, as what a program waits for.
      await new Promise((resolve) => setImmediate(resolve));
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(typeof piece === 'string' ? Buffer.from(piece) : piece);
    },
  });

type Make = (Maker: typeof Response) => Response;

/** Responses, and what follows their status line up to the headers about the connection; and the body. */
const RESPONSES: Record<string, [make: Make, head: string, body: string]> = {
  'a string': [(R) => new R('text'), 'content-type: text/plain;charset=UTF-8\r\nContent-Length: 4\r\n', 'text'],
  'text beyond ASCII': [
    (R) => new R('täxt €'),
    'content-type: text/plain;charset=UTF-8\r\nContent-Length: 9\r\n',
    Buffer.from('täxt €').toString('latin1'),
  ],
  bytes: [(R) => new R(Buffer.from([0, 255, 10])), 'Content-Length: 3\r\n', '\0\xff\n'],
  'an ArrayBuffer': [(R) => new R(new ArrayBuffer(2)), 'Content-Length: 2\r\n', '\0\0'],
  nothing: [(R) => new R(null), 'Content-Length: 0\r\n', ''],
  'nothing at all': [(R) => new R(), 'Content-Length: 0\r\n', ''],
  'an empty string': [(R) => new R(''), 'content-type: text/plain;charset=UTF-8\r\nContent-Length: 0\r\n', ''],
  headers: [
    (R) => new R('x', { headers: { 'X-Two': '2', 'X-One': '1', 'Content-Type': 'a/b' } }),
    'content-type: a/b\r\nx-one: 1\r\nx-two: 2\r\nContent-Length: 1\r\n',
    'x',
  ],
  'headers of its own class': [
    (R) =>
      new R('x', {
        headers: new Headers([
          ['X-One', '1'],
          ['x-one', '2'],
        ]),
      }),
    'content-type: text/plain;charset=UTF-8\r\nx-one: 1, 2\r\nContent-Length: 1\r\n',
    'x',
  ],
  'headers that are set later': [
    (R) => {
      const response = new R('x', { headers: { a: '1' } });
      response.headers.append('a', '2');
      response.headers.delete('content-type');
      return response;
    },
    'a: 1, 2\r\nContent-Length: 1\r\n',
    'x',
  ],
  cookies: [
    (R) => {
      const headers = new Headers({ 'content-type': 'a/b' });
      headers.append('Set-Cookie', 'a=1');
      headers.append('Set-Cookie', 'b=2, 3');
      return new R('x', { headers });
    },
    'content-type: a/b\r\nset-cookie: a=1\r\nset-cookie: b=2, 3\r\nContent-Length: 1\r\n',
    'x',
  ],
  'a header of latin1': [
    (R) => new R('€', { headers: { 'X-Name': 'n\xe5me', 'content-type': 'a/b' } }),
    'content-type: a/b\r\nx-name: n\xe5me\r\nContent-Length: 3\r\n',
    Buffer.from('€').toString('latin1'),
  ],
  'headers about the connection': [
    (R) =>
      new R('x', {
        headers: {
          'Transfer-Encoding': 'chunked',
          'Keep-Alive': 'timeout=99',
          Connection: 'upgrade',
          Upgrade: 'h2c',
          'Content-Type': 'a/b',
          'Content-Length': '77',
        },
      }),
    'content-type: a/b\r\nContent-Length: 1\r\n',
    'x',
  ],
  json: [(R) => R.json({ a: 1 }), 'content-type: application/json\r\nContent-Length: 7\r\n', '{"a":1}'],
  'json, created': [
    (R) => R.json([1], { headers: { b: '2' } }),
    'b: 2\r\ncontent-type: application/json\r\nContent-Length: 3\r\n',
    '[1]',
  ],
  'a clone': [
    (R) => new R('text', { headers: { 'content-type': 'a/b' } }).clone(),
    'content-type: a/b\r\nContent-Length: 4\r\n',
    'text',
  ],
  'a stream of one piece': [
    (R) =>
      new R(
        new ReadableStream({
          start(controller) {
            controller.enqueue(Buffer.from('text'));
            controller.close();
          },
        }),
      ),
    'Content-Length: 4\r\n',
    'text',
  ],
  'an empty stream': [(R) => new R(streamOf()), 'Content-Length: 0\r\n', ''],
  'a stream': [
    (R) => new R(streamOf('one', '', 'three')),
    'Transfer-Encoding: chunked\r\n',
    '3\r\none\r\n5\r\nthree\r\n0\r\n\r\n',
  ],
  'a stream with its length': [
    (R) => new R(streamOf('one', 'three'), { headers: { 'Content-Length': '8' } }),
    'Content-Length: 8\r\n',
    'onethree',
  ],
};

const NO_CONTENT: (typeof RESPONSES)[string] = [(R) => new R(null, { status: 204 }), '', ''];

describe.each(ways)('responses: $name', (way) => {
  describe.each(makers)('$kind', ({ Maker }) => {
    it.each(Object.entries(RESPONSES))('%s', async (_, [make, head, body]) => {
      const { address } = await start(way, () => make(Maker));
      const kept = 'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n';
      const line = 'HTTP/1.1 200 OK\r\n';
      const asked = get('/') + get('/') + get('/', CLOSE);
      expect(await exchange(address, asked)).toBe(
        `${line}${head}${kept}${body}`.repeat(2) + `${line}${head}Connection: close\r\n\r\n${body}`,
      );
    });

    it.each(Object.entries(RESPONSES))('%s: to HEAD, without the body', async (name, [make, head]) => {
      const { address } = await start(way, () => make(Maker));
      const text = await exchange(address, get('/', CLOSE).replace('GET', 'HEAD'));
      // The length of a stream is not known before its end.
      const expected = head.replace('Transfer-Encoding: chunked\r\n', '');
      expect(text, name).toBe(`HTTP/1.1 200 OK\r\n${expected}Connection: close\r\n\r\n`);
    });

    it.each(Object.entries(RESPONSES))('%s: to HTTP/1.0', async (_, [make, head, body]) => {
      const { address } = await start(way, () => make(Maker));
      const isChunked = head.includes('chunked');
      const expected = isChunked ? head.replace('Transfer-Encoding: chunked\r\n', '') : head;
      const text = await exchange(address, 'GET / HTTP/1.0\r\n\r\n');
      expect(text).toBe(`HTTP/1.1 200 OK\r\n${expected}Connection: close\r\n\r\n${isChunked ? 'onethree' : body}`);
    });

    it.each([...Object.entries(RESPONSES), ['204', NO_CONTENT] as const])(
      '%s: to HTTP/1.0 that takes chunks',
      async (_, [make, head, body]) => {
        const { address } = await start(way, () => make(Maker));
        const old = 'GET / HTTP/1.0\r\nTE: gzip\r\nTe: Chunked;q=1\r\n';
        const asked = `${old}Connection: keep-alive\r\n\r\n`.repeat(2) + get('/', CLOSE);
        const kept = 'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n';
        const line = make === NO_CONTENT[0] ? 'HTTP/1.1 204 No Content\r\n' : 'HTTP/1.1 200 OK\r\n';
        expect(await exchange(address, asked)).toBe(
          `${line}${head}${kept}${body}`.repeat(2) + `${line}${head}Connection: close\r\n\r\n${body}`,
        );
      },
    );

    it('statuses', async () => {
      const { address } = await start(way, ({ url }) => {
        const status = Number(new URL(url).pathname.slice(1));
        return new Maker(status === 204 || status === 304 ? null : 'x', { status, headers: { 'content-type': 'a/b' } });
      });
      const asked = [201, 204, 304, 404].map((status) => get(`/${String(status)}`)).join('') + get('/599', CLOSE);
      const kept = 'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n';
      expect(await exchange(address, asked)).toBe(
        `HTTP/1.1 201 Created\r\ncontent-type: a/b\r\nContent-Length: 1\r\n${kept}x` +
          `HTTP/1.1 204 No Content\r\ncontent-type: a/b\r\n${kept}` +
          `HTTP/1.1 304 Not Modified\r\ncontent-type: a/b\r\n${kept}` +
          `HTTP/1.1 404 Not Found\r\ncontent-type: a/b\r\nContent-Length: 1\r\n${kept}x` +
          `HTTP/1.1 599 unknown\r\ncontent-type: a/b\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`,
      );
    });

    it('a status text, a Date and an end of the connection of its own', async () => {
      const { address } = await start(
        way,
        () => new Maker(null, { status: 200, statusText: 'Fine', headers: { date: 'today', connection: 'close' } }),
      );
      const client = inbox(address);
      client.socket.write(get('/'));
      expect(await client.untilClosed()).toBe(
        'HTTP/1.1 200 Fine\r\ndate: today\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      );
    });
  });

  it('a Response of another class, which is complete only when its body is asked for', async () => {
    class Late {
      #inner: Response | undefined;
      get [Symbol.toStringTag](): string {
        return 'Response';
      }
      get headers(): Headers {
        return this.#inner?.headers ?? new Headers({ a: '1' });
      }
      get body(): Response['body'] {
        return (this.#inner ??= new Response('text', { status: 201, statusText: 'Late', headers: this.headers })).body;
      }
      get bodyUsed(): boolean {
        return false;
      }
      get status(): number {
        return this.#inner?.status ?? 200;
      }
      get statusText(): string {
        return this.#inner?.statusText ?? '';
      }
    }
    const { address } = await start(way, () => new Late() as unknown as Response);
    const head = 'a: 1\r\ncontent-type: text/plain;charset=UTF-8\r\nContent-Length: 4\r\n';
    expect(await exchange(address, get('/', CLOSE))).toBe(`HTTP/1.1 201 Late\r\n${head}Connection: close\r\n\r\ntext`);
  });

  it('a keepAliveTimeout of its own, or none', async () => {
    const { server, address } = await start(way, () => new Response(null), { keepAliveTimeout: 9000 });
    const client = inbox(address);
    client.socket.write(get('/'));
    expect(await client.until('\r\n\r\n')).toContain('Keep-Alive: timeout=9\r\n');
    server.keepAliveTimeout = 0;
    client.socket.write(get('/'));
    expect(await client.until('\r\n\r\n')).not.toContain('Keep-Alive:');
  });
});

describe.each(ways)('who reads: $name', (way) => {
  it('plain requests need no messages, and nobody who listens to them misses any', async () => {
    let made = 0;
    class Counted extends http.IncomingMessage {
      constructor(socket: net.Socket) {
        super(socket);
        made++;
      }
    }
    const { server, address } = await start(way, () => new Response('x'), { IncomingMessage: Counted });
    const plain = get('/') + post('/', 'body') + get('/', CLOSE);
    await exchange(address, plain);
    expect(made).toBe(way.name === 'native' ? 0 : 3);
    made = 0;
    await exchange(address, chunked('/', 'body') + plain);
    expect(made).toBe(4);
    made = 0;
    const sockets: net.Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    await exchange(address, plain);
    expect(made).toBe(3);
    expect(sockets).toHaveLength(1);
  });

  it('who watches node:http, or replaces emit(), is told of each request', async () => {
    const { server, address } = await start(way, () => new Response('x'));
    const seen: unknown[] = [];
    const watch = (message: unknown): void => {
      seen.push((message as { request: http.IncomingMessage }).request.url);
    };
    diagnostics.subscribe('http.server.request.start', watch);
    cleanup(() => diagnostics.unsubscribe('http.server.request.start', watch));
    await exchange(address, get('/1') + get('/2', CLOSE));
    expect(seen).toEqual(['/1', '/2']);
    diagnostics.unsubscribe('http.server.request.start', watch);
    const { emit } = server;
    server.emit = function (this: http.Server, event: string, ...args: unknown[]) {
      if (event === 'request') seen.push((args[0] as http.IncomingMessage).url);
      return Reflect.apply(emit, this, [event, ...args]) as boolean;
    } as typeof emit;
    await exchange(address, get('/3') + get('/4', CLOSE));
    expect(seen).toEqual(['/1', '/2', '/3', '/4']);
  });
});

describe('options', () => {
  const nothing = (): undefined => undefined;

  it('is an http.Server, which listens when it is told where', async () => {
    const idle = serve({ fetch: () => new Response('x') });
    expect(idle).toBeInstanceOf(http.Server);
    expect(idle.listening).toBe(false);
    const server = serve({ fetch: () => new Response('x'), hostname: '127.0.0.1', port: 0 });
    cleanup(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    expect(server.address()).toMatchObject({ address: '127.0.0.1' });
  });

  it.each([
    [undefined],
    [{}],
    [{ fetch: 'x' }],
    [{ fetch: nothing, error: 1 }],
    [{ fetch: nothing, overrideGlobalObjects: 1 }],
    [{ fetch: nothing, sendBufferSize: {} }],
  ])('%j is refused', (options) => {
    expect(() => serve(options as unknown as ServeOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });
});
