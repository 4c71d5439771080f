/** An app of Hono's, with and without nearwire's globals, against @hono/node-server. In a file of its own: it replaces globals. */
import { once } from 'node:events';
import type * as net from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { stream, streamSSE } from 'hono/streaming';
import { describe, expect, it, vi } from 'vitest';
import { FastResponse, serve } from 'nearwire/http';
import { chunked, CLOSE, dechunked, exchange, get, post, start, ways } from '../support/fetch-servers.js';
import { cleanup } from '../support/sockets.js';

const Genuine = globalThis.Response;

function makeApp(): Hono {
  const app = new Hono();
  app.use('/etag/*', etag());
  app.use('/cors/*', cors({ origin: 'http://y' }));
  app.use('/compress/*', compress());
  app.get('/text', (c) => c.text('text'));
  app.get('/json/:id', (c) => c.json({ id: c.req.param('id'), query: c.req.query('q'), host: c.req.header('host') }));
  app.get('/html', (c) => c.html('<p>€</p>', 201, { 'X-One': '1' }));
  app.get('/null', (c) => c.body(null, 204));
  app.get('/bytes', (c) => c.body(new Uint8Array([1, 2, 3])));
  app.get('/redirect', (c) => c.redirect('/text'));
  app.get('/cookies', (c) => {
    c.header('Set-Cookie', 'a=1');
    c.header('Set-Cookie', 'b=2', { append: true });
    return c.text('x');
  });
  app.get('/etag/a', (c) => c.text('tagged'));
  app.get('/cors/a', (c) => c.text('shared'));
  app.get('/compress/a', (c) => c.text('a'.repeat(5000)));
  app.get('/throws', () => {
    throw new Error('thrown');
  });
  app.get('/address', (c) => c.text(getConnInfo(c).remote.address ?? 'none'));
  app.get('/response', () => new Response('plain', { headers: { 'X-Two': '2' } }));
  app.get('/stream', (c) =>
    stream(c, async (out) => {
      await out.write('one');
      await out.sleep(1);
      await out.write('two');
    }),
  );
  app.get('/events', (c) =>
    streamSSE(c, async (out) => {
      await out.writeSSE({ data: 'hello', event: 'greeting', id: '1' });
    }),
  );
  app.post('/echo', async (c) => c.json({ body: await c.req.text(), again: await c.req.text() }));
  app.post('/parsed', async (c) => c.json(await c.req.parseBody()));
  app.all('/inner', async (c) => {
    const inner = new Request('http://inner/', c.req.raw);
    return c.text(`${inner.method} ${inner.url} ${await inner.text()}`);
  });
  return app;
}

const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';

const REQUESTS: string[] = [
  ...['text', 'json/7?q=a%20b', 'html', 'null', 'bytes', 'redirect', 'cookies', 'etag/a', 'throws', 'response'].map(
    (path) => get(`/${path}`, CLOSE),
  ),
  ...['stream', 'missing', 'address', 'inner'].map((path) => get(`/${path}`, CLOSE)),
  get('/cors/a', `Origin: http://y\r\n${CLOSE}`),
  get('/compress/a', `Accept-Encoding: gzip\r\n${CLOSE}`),
  get('/etag/a', `If-None-Match: "x"\r\n${CLOSE}`),
  get('/text', CLOSE).replace('GET', 'HEAD'),
  get('/cors/a', `Origin: http://y\r\nAccess-Control-Request-Method: PUT\r\n${CLOSE}`).replace('GET', 'OPTIONS'),
  post('/echo', 'body', CLOSE),
  post('/parsed', 'a=1&b=2', FORM + CLOSE),
  post('/inner', 'body', CLOSE),
  chunked('/echo', 'a', 'b').replace('Host', `${CLOSE}Host`),
];

interface Answer {
  line: string;
  headers: string[];
  body: string;
}

/** What counts of an answer: not the order of its headers, or the spelling of their names. */
function parse(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...headers] = text.slice(0, end).split('\r\n');
  const names = headers.map((header) => header.replace(/^[^:]*/, (name) => name.toLowerCase())).sort();
  const isChunked = names.includes('transfer-encoding: chunked');
  const body = text.slice(end + 4);
  return {
    line,
    headers: names.filter((name) => !/^(transfer-encoding|content-length)/.test(name)),
    body: isChunked && body !== '' ? dechunked(body) : body,
  };
}

async function answers(address: Parameters<typeof exchange>[0]): Promise<Answer[]> {
  return Promise.all(REQUESTS.map(async (text) => parse(await exchange(address, text))));
}

async function byHono(): Promise<Answer[]> {
  const server = createAdaptorServer({ fetch: makeApp().fetch, overrideGlobalObjects: false });
  cleanup(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return answers({ host: '127.0.0.1', port });
}

describe.each([false, true])('Hono, overrideGlobalObjects: %s', (overrideGlobalObjects) => {
  it.each(ways)('$name: the same answers as from @hono/node-server', async (way) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const expected = await byHono();
    const { address } = await start(way, makeApp().fetch, { overrideGlobalObjects }, 'tcp');
    const seen = await answers(address);
    const spelled = (answer: Answer): Answer => ({
      ...answer,
      headers: answer.headers.map((name) =>
        name.replace(/charset=utf-8/i, 'charset=utf-8').replace('; charset', ';charset'),
      ),
    });
    const { length } = REQUESTS;
    for (let i = 0; i < length; i++) {
      const [own, other] = [spelled(seen[i] as Answer), spelled(expected[i] as Answer)];
      // @hono/node-server calls bytes a text where the Response says nothing.
      const isTyped = own.headers.some((name) => name.startsWith('content-type'));
      if (!isTyped) other.headers = other.headers.filter((name) => name !== 'content-type: text/plain;charset=utf-8');
      expect(own, REQUESTS[i]).toEqual(other);
    }
  });
});

it.each(ways)('$name: events, whose helper sets headers about the connection', async (way) => {
  const { address } = await start(way, makeApp().fetch);
  // @hono/node-server sends its `Connection: keep-alive`, and does not close.
  const { headers, body } = parse(await exchange(address, get('/events', CLOSE)));
  expect(body).toBe('event: greeting\ndata: hello\nid: 1\n\n');
  expect(headers).toContain('connection: close');
});

describe('overrideGlobalObjects', () => {
  it('leaves what programs make of the globals as it was', async () => {
    serve({ fetch: () => new Response('x'), overrideGlobalObjects: true });
    expect(globalThis.Response).toBe(FastResponse);
    expect(new Genuine('x')).toBeInstanceOf(Response);
    expect(new Response('x')).toBeInstanceOf(Genuine);
    const request = new Request('http://x/a', { method: 'POST', body: 'body' });
    expect(request).toBeInstanceOf(Request);
    expect(await new Request(request, { headers: { a: 'b' } }).text()).toBe('body');
    expect(Request.name).toBe('Request');
    expect(() => new Request('no url')).toThrow(TypeError);
    expect(() => Reflect.construct(Request, []) as unknown).toThrow(/argument/);
    expect([Request.length, fetch.length, fetch.name]).toEqual([1, 1, 'fetch']);
    class Own extends Request {}
    expect(new Own('http://x/')).toBeInstanceOf(Own);
    expect(request).not.toBeInstanceOf(Own);
  });

  it.each(ways)('$name: a request is taken by fetch(), new Request() and clone()', async (way) => {
    const upstream = await start(
      way,
      async (request) => new Response(`${request.method} ${await request.text()}`),
      {},
      'tcp',
    );
    const target = `http://127.0.0.1:${String(upstream.address.port)}/`;
    const { address } = await start(way, async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/copy') return fetch(new Request(target, request));
      if (pathname === '/clone') return new Response(await request.clone().text());
      return fetch(new Request(request));
    });
    expect(await exchange(address, post('/copy', 'body', CLOSE))).toContain('POST body');
    expect(await exchange(address, post('/clone', 'body', CLOSE))).toContain('body');
    const direct = post('/', 'body', CLOSE).replace('Host: x', `Host: ${target.slice(7, -1)}`);
    expect(await exchange(address, direct)).toContain('POST body');
  });
});
