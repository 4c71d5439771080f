import type * as http from 'node:http';
import { Readable } from 'node:stream';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyOf } from '../bodies.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

export function start(seam: Seam, address: Address, observer: Observer): http.Server {
  const app = new Hono();
  app.get('/bytes', (context) => {
    const { seed, length } = context.req.query();
    return context.body(new Uint8Array(bodyOf(Number(seed), Number(length))));
  });
  app.post('/echo', async (context) => context.body(await context.req.arrayBuffer()));
  app.get('/stream', (context) => {
    const source = Readable.toWeb(observer.source(Number(context.req.query('length'))));
    return context.body(source as ReadableStream<Uint8Array>);
  });
  app.post('/upload', async (context) => {
    const { body } = context.req.raw;
    return context.json(await observer.check(body ?? Readable.from([]), context.req.query('speed') === 'slow'));
  });
  app.get('/stats', (context) => context.json(observer.stats()));
  // An upload whose client went away: nobody is there for an answer.
  app.onError((_, context) => context.body(null, 500));
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer: ((options: http.ServerOptions, listener: http.RequestListener) =>
      seam.createServer(options, listener)) as typeof http.createServer,
  }) as http.Server;
  return server.listen(address);
}
