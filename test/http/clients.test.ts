/** Agents, undici and frameworks. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';
import { Client, Pool } from 'undici';
import { describe, expect, it } from 'vitest';
import { request, target } from '../support/http.js';
import { cleanup, listen, nextTurn, pattern, type Address } from '../support/sockets.js';
import { everyWay, subjects } from '../support/subjects.js';

const origin = ({ port }: Address): string =>
  `http://${port === undefined ? 'localhost' : `127.0.0.1:${String(port)}`}`;

describe.each(everyWay)('an agent: $name over $family', ({ subject, family }) => {
  it('reuses its connections', async () => {
    const ports = new Set<Socket>();
    const server = subject.http.createServer({}, (req, res) => {
      ports.add(req.socket);
      res.end(req.url);
    });
    const address = await listen(server, family);
    const agent = subject.http.agent({ keepAlive: true, maxSockets: 3 });
    cleanup(() => {
      agent.destroy();
    });
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, i) => request({ ...target(address), agent, path: `/${String(i)}` })),
      );
      expect(answers.map(({ body }) => body.toString())).toEqual(['/0', '/1', '/2', '/3', '/4', '/5']);
    }
    expect(ports.size).toBe(3);
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
  });

  it('drops a connection that the server has closed', async () => {
    const server = subject.http.createServer({}, (_, res) => res.end('x'));
    const address = await listen(server, family);
    const agent = subject.http.agent({ keepAlive: true });
    cleanup(() => {
      agent.destroy();
    });
    await request({ ...target(address), agent });
    while (Object.keys(agent.freeSockets).length === 0) await nextTurn();
    server.closeIdleConnections();
    while (Object.keys(agent.freeSockets).length > 0) await nextTurn();
    expect((await request({ ...target(address), agent })).body.toString()).toBe('x');
  });

  it('without keep-alive makes a connection for each request', async () => {
    const sockets = new Set<Socket>();
    const server = subject.http.createServer({}, (req, res) => {
      sockets.add(req.socket);
      res.end('x');
    });
    const address = await listen(server, family);
    const agent = subject.http.agent({ keepAlive: false });
    for (let i = 0; i < 5; i++) await request({ ...target(address), agent });
    expect(sockets.size).toBe(5);
    expect(agent.getName({ host: 'a', port: 1, localAddress: '' })).toBe(
      new http.Agent().getName({ host: 'a', port: 1, localAddress: '' }),
    );
  });

  it('passes on the failure to connect', async () => {
    const agent = subject.http.agent();
    const where = family === 'unix' ? { socketPath: '/nonexistent/a.sock' } : { host: '127.0.0.1', port: 1 };
    const sent = http.get({ ...where, agent });
    const [error] = (await once(sent, 'error')) as [NodeJS.ErrnoException];
    expect(error).toMatchObject(
      family === 'unix' ? { code: 'ENOENT', syscall: 'connect' } : { code: 'ECONNREFUSED', port: 1 },
    );
  });

  it('times out', async () => {
    const server = subject.http.createServer({}, () => undefined);
    const address = await listen(server, family);
    const agent = subject.http.agent();
    const sent = http.get({ ...target(address), agent, timeout: 30 });
    await once(sent, 'timeout');
    sent.destroy();
    await once(sent, 'error');
  });

  it('downloads and uploads', async () => {
    const bytes = pattern(1_048_576);
    const server = subject.http.createServer({}, (req, res) => {
      if (req.method === 'GET') res.end(bytes);
      else req.pipe(res);
    });
    const address = await listen(server, family);
    const agent = subject.http.agent({ keepAlive: true });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 3; i++) {
      expect((await request({ ...target(address), agent })).body.equals(bytes)).toBe(true);
      expect((await request({ ...target(address), agent, method: 'PUT' }, bytes)).body.equals(bytes)).toBe(true);
    }
  });
});

describe.each(everyWay)('undici: $name over $family', ({ subject, family }) => {
  const connector =
    (address: Address) =>
    (_options: unknown, callback: (...args: [Error, null] | [null, Socket]) => void): void => {
      const socket = subject.connect(address);
      socket.once('error', (error) => {
        callback(error, null);
      });
      socket.once('connect', () => {
        callback(null, socket);
      });
    };

  it('works through a connector', async () => {
    const bytes = pattern(300_000);
    const server = subject.http.createServer({}, (req, res) => {
      if (req.method === 'POST') req.pipe(res);
      else res.end(req.url === '/big' ? bytes : 'small');
    });
    const address = await listen(server, family);
    const client = new Client(origin(address), { connect: connector(address) as never, pipelining: 10 });
    cleanup(() => client.destroy());
    const get = async (path: string): Promise<Buffer> => {
      const { body } = await client.request({ path, method: 'GET' });
      return Buffer.from(await body.arrayBuffer());
    };
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => get(i % 3 === 0 ? '/big' : '/small')));
    answers.forEach((answer, i) => {
      expect(answer.equals(i % 3 === 0 ? bytes : Buffer.from('small'))).toBe(true);
    });
    const { body } = await client.request({ path: '/', method: 'POST', body: bytes });
    expect(Buffer.from(await body.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('works as a pool, and closes', async () => {
    const server = subject.http.createServer({}, (req, res) => res.end(req.url));
    const address = await listen(server, family);
    const pool = new Pool(origin(address), { connect: connector(address) as never, connections: 4 });
    const texts = await Promise.all(
      Array.from({ length: 40 }, async (_, i) =>
        (await pool.request({ path: `/${String(i)}`, method: 'GET' })).body.text(),
      ),
    );
    expect(texts).toEqual(Array.from({ length: 40 }, (_, i) => `/${String(i)}`));
    await pool.close();
  });
});

describe.each(subjects)('frameworks: $name', (subject) => {
  async function check(server: http.Server): Promise<void> {
    const address = await listen(subject.http.attach(server), 'unix');
    const agent = new http.Agent({ keepAlive: true });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 3; i++) {
      const got = await request({ ...target(address), agent, path: '/hello?name=you' });
      expect([got.status, got.body.toString()]).toEqual([200, 'hello you']);
      const posted = await request(
        { ...target(address), agent, method: 'POST', path: '/json', headers: { 'Content-Type': 'application/json' } },
        JSON.stringify({ a: 1, text: 'x'.repeat(50_000) }),
      );
      expect([posted.status, JSON.parse(posted.body.toString())]).toEqual([200, { length: 50_000 }]);
      expect((await request({ ...target(address), agent, path: '/none' })).status).toBe(404);
    }
  }

  it('Express', async () => {
    const app = express();
    app.use(express.json());
    app.get('/hello', (req, res) => void res.send(`hello ${(req.query as { name: string }).name}`));
    app.post('/json', (req, res) => void res.json({ length: (req.body as { text: string }).text.length }));
    await check(http.createServer(app));
  });

  it('Fastify', async () => {
    const app = fastify();
    cleanup(() => app.close());
    app.get('/hello', (req) => `hello ${(req.query as { name: string }).name}`);
    app.post('/json', (req) => ({ length: (req.body as { text: string }).text.length }));
    await app.ready();
    await check(app.server);
  });

  it('Koa', async () => {
    const app = new Koa();
    app.use(async (ctx) => {
      if (ctx.path === '/hello') ctx.body = `hello ${String(ctx.query['name'])}`;
      if (ctx.path !== '/json') return;
      let text = '';
      for await (const chunk of ctx.req) text += String(chunk);
      ctx.body = { length: (JSON.parse(text) as { text: string }).text.length };
    });
    const listener = app.callback();
    await check(http.createServer((req, res) => void listener(req, res)));
  });
});
