import * as http from 'node:http';
import Koa from 'koa';
import { bodyOf } from '../bodies.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

export function start(seam: Seam, address: Address, observer: Observer): http.Server {
  const app = new Koa();
  app.silent = true;
  app.use(async (context) => {
    const { path, query } = context;
    if (path === '/bytes') {
      context.body = bodyOf(Number(query['seed']), Number(query['length']));
    } else if (path === '/echo') {
      const chunks: Buffer[] = [];
      for await (const chunk of context.req) chunks.push(chunk as Buffer);
      context.body = Buffer.concat(chunks);
    } else if (path === '/stream') {
      context.body = observer.source(Number(query['length']));
    } else if (path === '/upload') {
      context.body = await observer.check(context.req, query['speed'] === 'slow');
    } else if (path === '/stats') {
      context.body = observer.stats();
    }
  });
  const listener = app.callback();
  const server = http.createServer((request, response) => {
    void listener(request, response);
  });
  return seam.attach(server).listen(address);
}
