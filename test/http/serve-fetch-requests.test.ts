/** The Request that a fetch handler gets: the same in each way that serve() has. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import * as http from 'node:http';
import type * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { FastResponse, type FetchInfo, type ServeOptions } from 'nearwire/http';
import { chunked, CLOSE, exchange, get, HOST, post, start, ways } from '../support/fetch-servers.js';
import { cleanup, type Address } from '../support/sockets.js';

type Handler = ServeOptions['fetch'];

async function told(
  way: (typeof ways)[number],
  handler: (request: Request, info: FetchInfo) => unknown,
  text: string,
): Promise<unknown> {
  const { address } = await start(way, async (request, info) =>
    FastResponse.json((await handler(request, info)) ?? null),
  );
  const answer = await exchange(address, text);
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  return JSON.parse(Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1').toString());
}

/** Requests that the addon reads, and others that it leaves to node. */
const BODIES: Record<string, (body: string, headers?: string) => string> = {
  'of a length': (body, headers = '') => post('/a', body, headers + CLOSE),
  'in chunks': (body, headers = '') =>
    chunked('/a', body.slice(0, 2), body.slice(2)).replace(HOST, HOST + headers + CLOSE),
};

describe.each(ways)('requests: $name', (way) => {
  it('is a Request, with method, URL and headers', async () => {
    const seen = await told(
      way,
      (request) => [
        request instanceof Request,
        request.method,
        request.url,
        [...request.headers],
        request.headers === request.headers,
        request.body,
        request.bodyUsed,
        request.signal.aborted,
        request.mode,
        Object.prototype.toString.call(request),
      ],
      `GET /a?b=c HTTP/1.1\r\nHost: example.com:8080\r\nX-B: n\xe5me\r\nX-A:  1 \r\nx-a: 2\r\n${CLOSE}\r\n`,
    );
    expect(seen).toEqual([
      true,
      'GET',
      'http://example.com:8080/a?b=c',
      [
        ['connection', 'close'],
        ['host', 'example.com:8080'],
        ['x-a', '1, 2'],
        ['x-b', 'n\xe5me'],
      ],
      true,
      null,
      false,
      false,
      'cors',
      '[object Request]',
    ]);
  });

  it.each([
    ['/', 'x', 'http://x/'],
    ['/a b'.replace(' ', '%20'), 'x:80', 'http://x/a%20b'],
    ['/a/../b', 'X.Y:8080', 'http://x.y:8080/b'],
    ['/a/%2e%2E/b', 'x', 'http://x/b'],
    ['//evil/..//', 'x', 'http://x///'],
    ["/a?b='c'&d=[]|", '[::1]:80', 'http://[::1]/a?b=%27c%27&d=[]|'],
    ['http://other:81/p?q', 'x', 'http://other:81/p?q'],
  ])('%s at %s', async (target, host, url) => {
    const text = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${CLOSE}\r\n`;
    expect(await told(way, (request) => request.url, text)).toBe(url);
  });

  it.each([
    ['/', 'a/b'],
    ['/', 'a@b'],
    ['/', 'a b'],
    ['/', 'a:99999'],
    ['/', ''],
    ['/', 'x\r\nHost: y'],
    ['/a\\b', 'x'],
    ['a', 'x'],
    ['ftp://a/', 'x'],
    ['http://a:b@c/', 'x'],
  ])('%s at "%s" is answered with 400', async (target, host) => {
    let calls = 0;
    const { address } = await start(way, () => {
      calls++;
      return new Response('x');
    });
    expect(await exchange(address, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 400 Bad Request/,
    );
    expect(calls).toBe(0);
  });

  it('of HTTP/1.0 without a Host', async () => {
    expect(await told(way, (request) => request.url, 'GET /a HTTP/1.0\r\n\r\n')).toBe('http://localhost/a');
  });

  it.each(Object.entries(BODIES))('reads a body %s', async (_, ask) => {
    const BOM = '\xef\xbb\xbf';
    expect(await told(way, (request) => request.text(), ask(`${BOM}h\xc3\xa4llo \xff`))).toBe('hällo \ufffd');
    expect(await told(way, (request) => request.json(), ask('{"a":[1]}'))).toEqual({ a: [1] });
    expect(await told(way, async (request) => [...new Uint8Array(await request.arrayBuffer())], ask('abc'))).toEqual([
      97, 98, 99,
    ]);
    expect(await told(way, async (request) => (await request.blob()).text(), ask('abc'))).toBe('abc');
    const form = ask('a=1&b=2', 'Content-Type: application/x-www-form-urlencoded\r\n');
    expect(await told(way, async (request) => [...new URLSearchParams(await request.text())], form)).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect(
      await told(
        way,
        async (request) => {
          let text = '';
          for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
            expect(Object.getPrototypeOf(chunk)).toBe(Uint8Array.prototype);
            text += Buffer.from(chunk).toString();
          }
          return text;
        },
        ask('in pieces'),
      ),
    ).toBe('in pieces');
    expect(
      await told(
        way,
        async (request) => {
          const reader = (request.body as ReadableStream<Uint8Array>).getReader({ mode: 'byob' });
          const first = await reader.read(new Uint8Array(2));
          return [Buffer.from(first.value as Uint8Array).toString(), first.done];
        },
        ask('byob'),
      ),
    ).toEqual(['by', false]);
  });

  it.each(Object.entries(BODIES))('a body %s twice, by a clone, by a copy', async (_, ask) => {
    const twice = async (request: Request): Promise<unknown> => {
      const text = await request.text();
      const used = request.bodyUsed;
      const again = await request.text().then(
        () => 'read',
        (error: unknown) => (error as Error).name,
      );
      let cloned = 'cloned';
      try {
        request.clone();
      } catch (error) {
        cloned = (error as Error).name;
      }
      return [text, used, again, cloned];
    };
    expect(await told(way, twice, ask('abc'))).toEqual(['abc', true, 'TypeError', 'TypeError']);
    const clone = async (request: Request): Promise<unknown> => {
      const copy = request.clone();
      return [await copy.text(), await request.text(), copy.url, copy.headers.get('host')];
    };
    expect(await told(way, clone, ask('abc'))).toEqual(['abc', 'abc', 'http://x/a', 'x']);
    const copy = async (request: Request): Promise<unknown> => {
      const copied = new Request(request, { headers: { a: 'b' } });
      return [copied.method, copied.url, copied.headers.get('a'), await copied.text(), request.bodyUsed];
    };
    expect(await told(way, copy, ask('abc'))).toEqual(['POST', 'http://x/a', 'b', 'abc', true]);
    const init = async (request: Request): Promise<unknown> => {
      const copied = new Request('http://y/', request);
      return [copied.method, copied.url, copied.headers.get('host'), await copied.text()];
    };
    expect(await told(way, init, ask('abc'))).toEqual(['POST', 'http://y/', 'x', 'abc']);
  });

  it('is taken by fetch()', async () => {
    const upstream = await start(
      way,
      async (request) => new Response(`${request.method} ${await request.text()}`),
      {},
      'tcp',
    );
    const { host = '', port } = upstream.address;
    const text = post('/a', 'body', CLOSE).replace(HOST, `Host: ${host}:${String(port)}\r\n`);
    const { address } = await start(way, async (request) => fetch(request));
    expect(await exchange(address, text)).toMatch(/\r\n\r\n(b\r\n)?POST body/);
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('%s', async (method) => {
    const seen = (request: Request): unknown => [request.method, request.cache];
    expect(await told(way, seen, `${method} / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`)).toEqual([method, 'default']);
  });

  it('has no body that a GET has brought', async () => {
    const { address } = await start(
      way,
      async (request) => new Response(`${JSON.stringify(request.body)}${await request.text()}`),
    );
    const text = await exchange(address, get('/', 'Content-Length: 3\r\n') + 'abc' + get('/', CLOSE));
    expect(text.match(/\r\n\r\nnull/g)).toHaveLength(2);
  });

  it('tells where the client is', async () => {
    const { address } = await start(
      way,
      (_, info) =>
        FastResponse.json([
          info.remoteAddress,
          info.remoteFamily,
          typeof info.remotePort,
          info.incoming.socket.remotePort === info.remotePort,
          info.incoming.socket.remoteAddress,
        ]),
      {},
      'tcp',
    );
    expect(await exchange(address, get('/', CLOSE))).toContain('["127.0.0.1","IPv4","number",true,"127.0.0.1"]');
  });

  it('runs in the async context of listen(), and keeps its own', async () => {
    const storage = new AsyncLocalStorage<string>();
    const handler: Handler = ({ url }) => {
      const outside = storage.getStore();
      return storage.run(url, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return new Response(`${String(outside)} ${String(storage.getStore())}`);
      });
    };
    const { address } = await storage.run('outer', () => start(way, handler));
    const text = await exchange(address, get('/1') + get('/2') + get('/3', CLOSE));
    expect(text.match(/outer http:\/\/x\/\d/g)).toEqual([1, 2, 3].map((n) => `outer http://x/${String(n)}`));
  });
});

it.each(ways)('$name: what a handler enters is as visible to later requests as with node:http', async (way) => {
  const storage = new AsyncLocalStorage<string>();
  const enter = (url: string): string => {
    const before = String(storage.getStore());
    storage.enterWith(url);
    return `<${before}>`;
  };
  const { address } = await start(way, ({ url }) => new Response(enter(new URL(url).pathname)));
  const server = http.createServer((request, response) => response.end(enter(request.url ?? '')));
  cleanup(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const asked = get('/1') + get('/2') + get('/3', CLOSE);
  const found = async (where: Address): Promise<unknown> => (await exchange(where, asked)).match(/<[^>]*>/g);
  const expected = await found({ host: '127.0.0.1', port });
  expect(await found(address)).toEqual(expected);
});
