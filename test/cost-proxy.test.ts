/** nearwire's own small HTTP proxy, which stands in for nginx with `nearwire cost --quick`. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import { describe, expect, test } from 'vitest';

import { floorPattern } from '../bench/work/pattern.js';
import { serveByFloor } from './support/floor.js';
import { requireOrSkip } from './support/requirements.js';
import { cleanup, listen, socketPath } from './support/sockets.js';
import type { Family } from './support/subjects.js';

const floor = requireOrSkip('floor');
const MIB = 1024 * 1024;

type Address = string | number;

/** A server of the test's, as the application. */
async function application(server: net.Server, family: Family = 'unix'): Promise<Address> {
  const { path, port } = await listen(server, family);
  const address = path ?? port;
  if (address === undefined) throw new Error('it listens');
  return address;
}

/** The proxy before it; its own socket. */
function proxy(upstream: Address | undefined, keepAlive = true): Promise<string> {
  const words = ['--keep-alive', keepAlive ? '1' : '0'];
  if (upstream === undefined) return serveByFloor('proxy', ...words);
  const [family, address] =
    typeof upstream === 'string' ? ['unix', upstream] : ['tcp', `127.0.0.1:${String(upstream)}`];
  return serveByFloor('proxy', ...words, '--upstream-family', family, '--upstream', address);
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

async function ask(socketPath: string, options: http.RequestOptions = {}, body?: Buffer): Promise<Answer> {
  const request = http.request({ socketPath, path: '/', agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

function kept(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  cleanup(() => {
    agent.destroy();
  });
  return agent;
}
/** What is said, and all that comes back. */
async function talk(path: string, ...said: readonly string[]): Promise<string> {
  const socket = net.connect(path);
  for (const part of said) await new Promise((resolve) => socket.write(part, resolve));
  return text(socket);
}

/** Answers with what it was asked: the method, the url, the fields that came, and the body. */
const echo: http.RequestListener = (request, response) => {
  void buffer(request).then((body) => {
    response.setHeader('X-Asked', `${request.method ?? ''} ${request.url ?? ''}`);
    response.setHeader('X-Fields', JSON.stringify(request.headers));
    response.end(body);
  });
};

describe.skipIf(floor === undefined)('the proxy', () => {
  test.each((['unix', 'tcp'] as const).flatMap((family) => [true, false].map((keepAlive) => ({ family, keepAlive }))))(
    'gives requests and answers on, $family, kept connections: $keepAlive',
    async ({ family, keepAlive }) => {
      let connections = 0;
      const server = http.createServer(echo).on('connection', () => connections++);
      const path = await proxy(await application(server, family), keepAlive);
      const agent = kept();
      for (const size of [0, 1, 65536, 3 * MIB, 12]) {
        const sent = size === 0 ? Buffer.alloc(0) : floorPattern(size);
        const method = size === 0 ? 'GET' : 'POST';
        const headers = { 'content-length': String(size), 'x-own': 'kept', te: 'trailers', connection: 'keep-alive' };
        const {
          status,
          headers: got,
          body,
        } = await ask(path, { agent, method, path: `/a?b=${String(size)}`, headers }, sent);
        expect({ status, asked: got['x-asked'] }).toEqual({ status: 200, asked: `${method} /a?b=${String(size)}` });
        expect(body.equals(sent)).toBe(true);
        const fields = JSON.parse(String(got['x-fields'])) as Record<string, string>;
        expect(fields).toMatchObject({ 'x-own': 'kept', connection: keepAlive ? 'keep-alive' : 'close' });
        expect(fields).not.toHaveProperty('te');
        expect(got.connection).toBe('keep-alive');
      }
      expect(connections).toBe(keepAlive ? 1 : 5);
    },
  );

  test('chunked answers, those that end with the connection, and those without a body', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (head) => {
        const path = head.toString().split(' ')[1];
        if (path === '/end') socket.end('HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nuntil the end');
        else if (path === '/none') socket.end('HTTP/1.1 304 Not Modified\r\nEtag: "1"\r\n\r\n');
        else if (path === '/interim')
          socket.end('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
      });
    });
    const path = await proxy(await application(server), false);
    const until = await ask(path, { path: '/end' });
    expect(until).toMatchObject({ status: 200, headers: { 'x-a': 'b', connection: 'close' } });
    expect(until.body.toString()).toBe('until the end');
    expect(await ask(path, { path: '/none', agent: kept() })).toMatchObject({ status: 304, headers: { etag: '"1"' } });
    expect((await ask(path, { path: '/chunked' })).body.toString()).toBe('abc');
    expect(await talk(path, 'GET /interim HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: x\r\n[^]*HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok$/,
    );
  });

  test('a reader that does not read holds the application, and gets all of it in the end', async () => {
    const size = 40 * MIB;
    let sent = 0;
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { 'Content-Length': size });
      const write = (): void => {
        while (sent < size) {
          sent += MIB;
          if (!response.write(Buffer.alloc(MIB, 'y'))) break;
        }
      };
      response.on('drain', write);
      write();
    });
    const path = await proxy(await application(server));
    const request = http.get({ socketPath: path, path: '/', agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    // A request on another connection is answered meanwhile.
    const other = await ask(path, { method: 'HEAD' });
    expect(other.status).toBe(501);
    expect(sent).toBeLessThan(size);
    let received = 0;
    for await (const part of response) received += (part as Buffer).length;
    expect(received).toBe(size);
  });

  test('heads in pieces, and requests that come before they are asked for', async () => {
    const path = await proxy(await application(http.createServer(echo)));
    const one = 'POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst';
    const last = 'GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const together = await talk(path, one + one.replace('/1', '/2') + last);
    expect([...together.matchAll(/X-Asked: (.*)\r/g)].map(([, asked]) => asked)).toEqual([
      'POST /1',
      'POST /2',
      'GET /3',
    ]);
    const pieces = await talk(path, ...(one + last).split(''));
    expect([...pieces.matchAll(/X-Asked: (.*)\r/g)].map(([, asked]) => asked)).toEqual(['POST /1', 'GET /3']);
    expect(pieces).toContain('\r\n\r\nfirst');
  });

  test('a kept connection that the application has closed is replaced', async () => {
    const served: net.Socket[] = [];
    const server = http.createServer((request, response) => {
      // The second request on a connection is met by its end.
      if (served.includes(request.socket)) {
        request.socket.destroy();
        return;
      }
      served.push(request.socket);
      response.end('ok');
    });
    const path = await proxy(await application(server));
    const agent = kept();
    for (let i = 0; i < 3; i++) expect(await ask(path, { agent })).toMatchObject({ status: 200 });
    expect(served).toHaveLength(3);
    // What may have had an effect is not done twice.
    const posted = await ask(path, { agent, method: 'POST' }, Buffer.from('x'));
    expect(posted.status).toBe(502);
  });

  test('an application that is not there, hangs up or talks nonsense is a 502', async () => {
    const missing = await proxy(socketPath());
    expect(await ask(missing)).toMatchObject({ status: 502, headers: { connection: 'close' } });
    const closed = net.createServer();
    const port = await application(closed, 'tcp');
    closed.close();
    await once(closed, 'close');
    expect(await ask(await proxy(port))).toMatchObject({ status: 502 });
    for (const words of [
      '',
      'HTTP/1.1 200 OK\r\n',
      'nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
    ]) {
      const server = net.createServer((socket) => socket.once('data', () => socket.end(words)));
      expect(await ask(await proxy(await application(server))), words).toMatchObject({ status: 502 });
    }
    // After the head there is no way to tell but the end.
    const half = net.createServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
    );
    await expect(ask(await proxy(await application(half)))).rejects.toThrow('aborted');
  });

  test('what it can not do it refuses, and nothing of it reaches the application', async () => {
    let requests = 0;
    const server = http.createServer((_request, response) => {
      requests++;
      response.end();
    });
    const path = await proxy(await application(server));
    const refused = async (words: string): Promise<string | undefined> =>
      /^HTTP\/1\.1 (\d+)/.exec(await talk(path, words))?.[1];
    expect(await refused('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('501');
    expect(await refused('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).toBe('411');
    expect(await refused('GET / HTTP/2.0\r\n\r\n')).toBe('400');
    expect(await refused('GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n')).toBe('400');
    expect(await refused('GET\r\n\r\n')).toBe('501');
    expect(await refused(`GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}`)).toBe('431');
    expect(await refused(`GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toBe('431');
    expect(requests).toBe(0);
  });

  test('clients that go away leave it serving', async () => {
    const waiting: http.ServerResponse[] = [];
    const server = http.createServer((request, response) => {
      if (request.url === '/wait') waiting.push(response);
      else response.end('ok');
    });
    const path = await proxy(await application(server));
    const asked = once(server, 'request');
    const client = net.connect(path);
    client.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    const [response] = waiting;
    const gone = once(response ?? server, 'close');
    client.destroy();
    // Which the application hears of.
    await gone;
    expect((await ask(path)).body.toString()).toBe('ok');
  });

  test('without an application it answers by itself', async () => {
    const path = await proxy(undefined);
    const agent = kept();
    expect((await ask(path, { agent, path: '/hello' })).body.toString()).toBe('hello world\n');
    expect((await ask(path, { agent, path: '/download' })).body).toHaveLength(MIB);
    const upload = await ask(path, { agent, path: '/upload', method: 'POST' }, floorPattern(65536));
    expect(upload.body.toString()).toBe('65536\n');
  });
});
