/** Express, Fastify and Koa applications answer behind the uwsgi protocol as they do behind node:http. */
import * as http from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import express from 'express';
import fastify, { type FastifyInstance } from 'fastify';
import Koa from 'koa';
import { createServer, type UwsgiListener } from 'nearwire/uwsgi';
import { describe, expect, it } from 'vitest';
import { request, type Answer as HttpAnswer } from '../support/http.js';
import { runNginx } from '../support/nginx.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, socketPath, temporaryDirectory } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';
import { ask, type Target } from '../support/uwsgi/packets.js';
import { listenUwsgi } from '../support/uwsgi/serve.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));

const directory = mkdtempSync(join(tmpdir(), 'nearwire-static-'));
writeFileSync(join(directory, 'file.txt'), 'x'.repeat(100_000));

/** Makes a server of the application's, by either protocol. */
type Application = (make: (listener: http.RequestListener) => http.Server) => Promise<http.Server> | http.Server;

const PIECES = ['some ', 'pieces ', 'of text'];

function expressApplication(make: (listener: http.RequestListener) => http.Server): http.Server {
  const app = express();
  app.set('trust proxy', false);
  app.use(express.json());
  app.get('/json/:name', ({ params, query, ip, protocol, hostname }, res) => {
    res.json({ params, query, ip, protocol, hostname });
  });
  app.post('/echo', ({ body, headers }, res) => {
    res
      .status(201)
      .cookie('a', 'b')
      .set('X-Type', headers['content-type'])
      .json(body as unknown);
  });
  app.get('/stream', (_req, res) => {
    Readable.from(PIECES).pipe(res);
  });
  app.get('/redirect', (_req, res) => {
    res.redirect('/elsewhere');
  });
  app.get('/error', () => {
    throw new Error('own');
  });
  app.use('/static', express.static(directory));
  app.use(((...[error, , res]) => {
    res.status(500).send(`failed: ${(error as Error).message}`);
  }) satisfies express.ErrorRequestHandler);
  return make(app);
}

async function fastifyApplication(make: (listener: http.RequestListener) => http.Server): Promise<http.Server> {
  let server: http.Server | undefined;
  const app: FastifyInstance = fastify({ serverFactory: (handler) => (server = make(handler)) });
  app.get('/json/:name', ({ params, query, ip, protocol, host }) =>
    Promise.resolve({ params, query, ip, protocol, host }),
  );
  app.post('/echo', async ({ body, headers }, reply) => {
    await reply.code(201).header('Set-Cookie', 'a=b').header('X-Type', headers['content-type']).send(body);
  });
  app.get('/stream', (_req, reply) => reply.send(Readable.from(PIECES.map((piece) => Buffer.from(piece)))));
  app.get('/redirect', (_req, reply) => reply.redirect('/elsewhere'));
  app.get('/error', () => {
    throw new Error('own');
  });
  await app.ready();
  cleanup(async () => {
    await app.close();
  });
  if (server === undefined) throw new Error('Fastify has made no server');
  return server;
}

function koaApplication(make: (listener: http.RequestListener) => http.Server): http.Server {
  const app = new Koa();
  app.silent = true;
  app.use(async (context) => {
    const { path, query, ip, protocol, host, request: asked } = context;
    if (path.startsWith('/json/')) context.body = { name: path.slice(6), query, ip, protocol, host };
    else if (path === '/echo') {
      const chunks: Buffer[] = [];
      for await (const chunk of context.req) chunks.push(chunk as Buffer);
      context.status = 201;
      context.cookies.set('a', 'b');
      context.set('X-Type', asked.type);
      context.body = Buffer.concat(chunks);
    } else if (path === '/stream') context.body = Readable.from(PIECES.map((piece) => Buffer.from(piece)));
    else if (path === '/redirect') context.redirect('/elsewhere');
    else if (path === '/error') throw new Error('own');
  });
  const listener = app.callback();
  return make((req, res) => void listener(req, res));
}

interface Asked {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

const REQUESTS: readonly Asked[] = [
  { method: 'GET', url: '/json/a%20b?x=1&y=2&y=3' },
  { method: 'HEAD', url: '/json/ab' },
  { method: 'POST', url: '/echo', headers: { 'content-type': 'application/json' }, body: '{"a":["b"]}' },
  { method: 'POST', url: '/echo', headers: { 'content-type': 'application/json' }, body: '{broken' },
  { method: 'GET', url: '/stream' },
  { method: 'GET', url: '/redirect' },
  { method: 'GET', url: '/error' },
  { method: 'GET', url: '/nothing' },
  { method: 'GET', url: '/static/file.txt' },
  { method: 'GET', url: '/static/file.txt', headers: { range: 'bytes=10-19' } },
  { method: 'OPTIONS', url: '/json/a' },
];

/** What an answer is apart from its connection and its moment. */
function essence({ status, headers, body }: { status: number | undefined; headers: object; body: Buffer }): unknown {
  const kept = Object.entries(headers as Record<string, unknown>)
    .filter(([name]) => !/^(connection|keep-alive|transfer-encoding|date|server)$/.test(name))
    .map(([name, value]) => [name, Array.isArray(value) ? value.join() : value]);
  return { status, headers: Object.fromEntries(kept) as object, body: body.toString('latin1') };
}

function askHttp(path: string, { method, url, headers = {}, body }: Asked): Promise<HttpAnswer> {
  const all = { host: 'app.example', ...headers };
  return request({ socketPath: path, agent: false, method, path: url, headers: all }, body);
}

function askUwsgi(target: Target, { method, url, headers = {}, body }: Asked): ReturnType<typeof ask> {
  const [path, query = ''] = url.split('?') as [string, string?];
  const own = Object.entries(headers).map(([name, value]) => [
    `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  const type = headers['content-type'] ?? '';
  return ask(
    target,
    {
      REQUEST_METHOD: method,
      REQUEST_URI: url,
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      CONTENT_TYPE: type,
      // As node has it of a UNIX socket: the two are to be compared.
      REMOTE_ADDR: '',
      ...(Object.fromEntries(own) as Record<string, string>),
    },
    body,
  );
}

async function serveHttp(application: Application): Promise<string> {
  const server = await application((listener) => http.createServer(listener));
  const path = socketPath();
  server.listen(path);
  await once(server, 'listening');
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  return path;
}

const applications: [name: string, application: Application][] = [
  ['express', expressApplication],
  ['fastify', fastifyApplication],
  ['koa', koaApplication],
];

function uwsgiMaker(transport: 'native' | 'js'): (listener: http.RequestListener) => http.Server {
  return (listener) => createServer({ transport }, listener as UwsgiListener);
}

describe.each(applications)('%s', (_, application) => {
  it.each(transports)('answers as behind node:http, on %s', async (transport) => {
    const path = await serveHttp(application);
    const server = await application(uwsgiMaker(transport));
    const target = await listenUwsgi(server);
    for (const asked of REQUESTS) {
      const expected = essence(await askHttp(path, asked));
      expect([asked, essence(await askUwsgi(target, asked))]).toEqual([asked, expected]);
    }
  });
});

const nginx = requireOrSkip('nginx');

describe.skipIf(nginx === undefined).each(applications)('%s behind a real nginx', (_, application) => {
  it.each(transports)('answers by uwsgi_pass as by proxy_pass, on %s', async (transport) => {
    const proxied = await serveHttp(application);
    const target = await listenUwsgi(await application(uwsgiMaker(transport)));
    const front = temporaryDirectory();
    const [byProxy, byUwsgi] = [join(front, 'proxy.sock'), join(front, 'uwsgi.sock')];
    await runNginx(nginx ?? '', front, 'root', [
      `server { listen unix:${byProxy}; location / { proxy_pass http://unix:${proxied}; proxy_set_header Host $host; } }`,
      `server { listen unix:${byUwsgi}; location / { include /etc/nginx/uwsgi_params; uwsgi_pass unix:${target.path ?? ''}; } }`,
    ]);
    for (const asked of REQUESTS.filter(({ url }) => !url.startsWith('/json'))) {
      const expected = essence(await askHttp(byProxy, asked));
      expect([asked, essence(await askHttp(byUwsgi, asked))]).toEqual([asked, expected]);
    }
    const { status, body } = await askHttp(byUwsgi, { method: 'GET', url: '/json/a%20b?x=1' });
    expect(status).toBe(200);
    expect(JSON.parse(body.toString())).toMatchObject({ query: { x: '1' }, protocol: 'http' });
  });
});
