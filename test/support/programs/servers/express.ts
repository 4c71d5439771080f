import * as http from 'node:http';
import express from 'express';
import { bodyOf, LARGEST } from '../bodies.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

export function start(seam: Seam, address: Address, observer: Observer): http.Server {
  const app = express();
  app.post('/echo', express.raw({ limit: LARGEST, type: () => true }), (request, response) => {
    const body: unknown = request.body;
    response.send(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
  });
  app.get('/bytes', ({ query }, response) => {
    response.send(bodyOf(Number(query['seed']), Number(query['length'])));
  });
  app.get('/stream', ({ query }, response) => {
    observer.source(Number(query['length'])).pipe(response);
  });
  app.post('/upload', async (request, response) => {
    response.json(await observer.check(request, request.query['speed'] === 'slow'));
  });
  app.get('/stats', (_, response) => {
    response.json(observer.stats());
  });
  // What the client's going away makes of an upload is told by no answer and no log.
  app.use(((...[, , response]) => {
    response.destroy();
  }) satisfies express.ErrorRequestHandler);
  return seam.attach(http.createServer(app)).listen(address);
}
