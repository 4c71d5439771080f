import type { Server } from 'node:http';
import fastify, { type FastifyRequest } from 'fastify';
import { bodyOf, LARGEST } from '../bodies.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

const numbers = ({ query }: FastifyRequest): { seed: number; length: number } => {
  const { seed, length } = query as Record<string, string>;
  return { seed: Number(seed), length: Number(length) };
};

export async function start(seam: Seam, address: Address, observer: Observer): Promise<Server> {
  const app = fastify({
    bodyLimit: LARGEST,
    serverFactory: (handler, options) => seam.createServer(options, handler),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => {
    done(null, body);
  });
  app.addContentTypeParser('*', (_, payload, done) => {
    done(null, payload);
  });
  app.post('/echo', async ({ body }) => {
    if (Buffer.isBuffer(body)) return body;
    const chunks: Buffer[] = [];
    for await (const chunk of (body ?? []) as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  });
  app.get('/bytes', (request) => {
    const { seed, length } = numbers(request);
    return Promise.resolve(bodyOf(seed, length));
  });
  app.get('/stream', (request, reply) => reply.send(observer.source(numbers(request).length)));
  app.post('/upload', { bodyLimit: Number.MAX_SAFE_INTEGER }, ({ body, query }) =>
    observer.check(body as AsyncIterable<Uint8Array>, (query as Record<string, string>)['speed'] === 'slow'),
  );
  app.get('/stats', () => Promise.resolve(observer.stats()));
  await app.listen(address);
  return app.server;
}
