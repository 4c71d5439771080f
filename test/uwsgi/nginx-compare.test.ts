/**
 * What nginx's clients and a handler see is the same behind `uwsgi_pass` as behind `proxy_pass` to node:http, byte by
 * byte; and where it is not, it is as docs/uwsgi.md says. `npm run compare:uwsgi` asks for more than the suite does.
 */
import { describe, expect, it } from 'vitest';
import * as http from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { UwsgiRequest } from 'nearwire/uwsgi';
import { requireOrSkip } from '../support/requirements.js';
import { ask, compareFronts, startFronts, type Answered, type FrontOptions } from '../support/uwsgi/comparison.js';
import { askRaw } from '../support/uwsgi/packets.js';

const nginx = requireOrSkip('nginx');
const REQUESTS = Number(process.env['NEARWIRE_COMPARE_REQUESTS'] ?? 300);
const SEED = Number(process.env['NEARWIRE_COMPARE_SEED'] ?? 7);
/** Slower than any machine that has been seen: so many requests a second. */
const PACE = 50;

describe.skipIf(nginx === undefined).each(['native', 'js'] as const)('behind a real nginx, %s', (transport) => {
  it(
    `answers ${String(REQUESTS)} requests of all kinds as behind proxy_pass`,
    { timeout: 30_000 + (REQUESTS / PACE) * 1000 },
    async () => {
      const fronts = await startFronts(nginx ?? '', { transport });
      const { compared, bytes, differences } = await compareFronts(fronts, REQUESTS, SEED);
      expect(differences).toEqual([]);
      expect(compared).toBe(REQUESTS);
      expect(bytes).toBeGreaterThan(REQUESTS * 5000);
    },
  );
});

interface Both {
  uwsgi: Answered & { request: IncomingMessage };
  proxy: Answered & { request: IncomingMessage };
}

/** One request to both, and what each handler got. */
async function both(headers: string[], respond: RequestListener, options: FrontOptions = {}): Promise<Both> {
  const requests: IncomingMessage[] = [];
  const handler: RequestListener = (request, response) => {
    requests.push(request);
    respond(request, response);
  };
  const fronts = await startFronts(nginx ?? '', { ...options, handler });
  const planned = { method: 'GET', path: '/', headers: ['Host', 'a', ...headers], body: Buffer.alloc(0), chunks: 0 };
  const uwsgi = await ask(fronts.uwsgi, false, planned);
  const proxy = await ask(fronts.proxy, false, planned);
  const [first, second] = requests as [IncomingMessage, IncomingMessage];
  return { uwsgi: { ...uwsgi, request: first }, proxy: { ...proxy, request: second } };
}

function headerOf({ rawHeaders }: Answered, name: string): string | undefined {
  return rawHeaders[rawHeaders.indexOf(name) + 1];
}

it.skipIf(nginx === undefined)('chunks that the handler asks for come as chunks', async () => {
  const { uwsgi, proxy } = await both([], (_, response) => {
    response.setHeader('Transfer-Encoding', 'chunked').end('text');
  });
  for (const answer of [uwsgi, proxy]) {
    expect([headerOf(answer, 'Transfer-Encoding'), answer.body.toString()]).toEqual(['chunked', 'text']);
    expect(answer.rawHeaders).not.toContain('Content-Length');
  }
});

describe.skipIf(nginx === undefined)('what differs between uwsgi_pass and proxy_pass', () => {
  const hello: RequestListener = (_, response) => response.end('hello');

  it('the version is the client’s, and the answer keeps its length', async () => {
    const { uwsgi, proxy } = await both([], hello, { proxyLines: '' });
    expect([uwsgi.request.httpVersion, proxy.request.httpVersion]).toEqual(['1.1', '1.0']);
    // node:http sends no length to a client of HTTP/1.0.
    expect([headerOf(uwsgi, 'Content-Length'), headerOf(proxy, 'Transfer-Encoding')]).toEqual(['5', 'chunked']);
    expect([uwsgi.body, proxy.body].map(String)).toEqual(['hello', 'hello']);
  });

  it('headers about the client’s connection come along', async () => {
    const { uwsgi, proxy } = await both(['Connection', 'close', 'Keep-Alive', '5', 'TE', 'trailers'], hello);
    expect(uwsgi.request.headers).toMatchObject({ connection: 'close', 'keep-alive': '5', te: 'trailers' });
    for (const name of ['connection', 'keep-alive', 'te']) expect(proxy.request.headers).not.toHaveProperty(name);
  });

  it('names are in lower case, and several headers of a name are one', async () => {
    const headers = [
      'X-Several',
      'a',
      'x-several',
      'b',
      'Cookie',
      'a=1',
      'Cookie',
      'b=2',
      'Referer',
      'c',
      'Referer',
      'd',
    ];
    const { uwsgi, proxy } = await both(headers, hello);
    const raw = (request: IncomingMessage): string[] => request.rawHeaders.filter((_, i) => i % 2 === 0);
    expect(raw(uwsgi.request).filter((name) => name === 'x-several')).toHaveLength(1);
    expect(raw(proxy.request).filter((name) => name.toLowerCase() === 'x-several')).toEqual(['X-Several', 'x-several']);
    for (const { request } of [uwsgi, proxy]) {
      expect(request.headers).toMatchObject({ 'x-several': 'a, b', cookie: 'a=1; b=2' });
    }
    // Of those that may be there only once node keeps the first.
    expect([uwsgi.request.headers.referer, proxy.request.headers.referer]).toEqual(['c, d', 'c']);
  });

  it('an underscore in a name is a hyphen, where nginx lets it through at all', async () => {
    const kept = await both(['X_User', 'me'], hello, { lines: ['underscores_in_headers on;'] });
    expect(kept.uwsgi.request.headers).toMatchObject({ 'x-user': 'me' });
    expect(kept.proxy.request.headers).toMatchObject({ x_user: 'me' });
  });

  it('by default nginx lets no underscore through', async () => {
    const { uwsgi, proxy } = await both(['X_User', 'me'], hello);
    for (const { request } of [uwsgi, proxy]) {
      expect(request.headers).not.toHaveProperty('x-user');
      expect(request.headers).not.toHaveProperty('x_user');
    }
  });

  it('the handler’s own Date and Server come through', async () => {
    const date = 'Wed, 01 Jan 2020 00:00:00 GMT';
    const { uwsgi, proxy } = await both([], (_, response) => {
      response.setHeader('Date', date).setHeader('Server', 'mine').end();
    });
    expect([headerOf(uwsgi, 'Date'), headerOf(uwsgi, 'Server')]).toEqual([date, 'mine']);
    expect(headerOf(proxy, 'Date')).not.toBe(date);
    expect(headerOf(proxy, 'Server')).toMatch(/^nginx/);
  });

  it('the client’s address is the socket’s', async () => {
    const seen: (string | undefined)[] = [];
    const { uwsgi } = await both([], ({ socket }, response) => {
      seen.push(socket.remoteAddress);
      response.end();
    });
    // nginx's word for a client of its UNIX socket.
    expect(seen).toEqual(['unix:', undefined]);
    expect((uwsgi.request as UwsgiRequest).uwsgi).toMatchObject({ REMOTE_ADDR: 'unix:', PATH_INFO: '/' });
  });

  it('another transfer coding is dropped, and is nginx’s 502 by proxy_pass', async () => {
    const { uwsgi, proxy } = await both([], (_, response) => {
      response.setHeader('Transfer-Encoding', 'gzip').end('text');
    });
    expect([uwsgi.status, proxy.status]).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 502 Bad Gateway']);
    expect([headerOf(uwsgi, 'Transfer-Encoding'), uwsgi.body.toString()]).toEqual(['chunked', 'text']);
  });

  it('any method and a longer head reach the handler', async () => {
    const fronts = await startFronts(nginx ?? '', { handler: hello, lines: ['large_client_header_buffers 4 32k;'] });
    const planned = { method: 'GET', path: '/', headers: ['Host', 'a'], body: Buffer.alloc(0), chunks: 0 };
    const unknown = Buffer.from('BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const firstLine = async (path: string): Promise<string> =>
      (await askRaw({ path }, unknown)).toString().split('\r\n', 1)[0] as string;
    expect(await firstLine(fronts.uwsgi)).toBe('HTTP/1.1 200 OK');
    expect(await firstLine(fronts.proxy)).toBe('HTTP/1.1 400 Bad Request');
    const long = { ...planned, headers: [...planned.headers, 'X-Long', 'x'.repeat(http.maxHeaderSize)] };
    expect((await ask(fronts.uwsgi, false, long)).status).toBe('HTTP/1.1 200 OK');
    expect((await ask(fronts.proxy, false, long)).status).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('a WebSocket is refused', async () => {
    const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];
    const fronts = await startFronts(nginx ?? '', { handler: hello });
    const planned = { method: 'GET', path: '/', headers: ['Host', 'a', ...headers], body: Buffer.alloc(0), chunks: 0 };
    const { status, body } = await ask(fronts.uwsgi, false, planned);
    expect(status).toBe('HTTP/1.1 501 Not Implemented');
    expect(body.toString()).toMatch(/proxy_pass/);
  });
});
