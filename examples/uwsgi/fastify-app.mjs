/**
 * A Fastify application behind nginx: `node fastify-app.mjs uwsgi|http SOCKET`. `serverFactory` is all that it takes.
 */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';
import { serverFor } from './serve.mjs';

// Behind proxy_pass the client's address stands in X-Forwarded-For; behind uwsgi_pass it is the socket's own.
const app = Fastify({ serverFactory: serverFor, trustProxy: process.argv[2] === 'http' });
app.register(fastifyStatic, { root: fileURLToPath(new URL('public', import.meta.url)), prefix: '/static/' });
app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
  done(null, Object.fromEntries(new URLSearchParams(body)));
});
// A body that is read while it comes.
app.addContentTypeParser('application/octet-stream', (request, body, done) => done(null, body));

const id = { type: 'object', properties: { id: { type: 'integer' } } };
app.get('/', () => 'Hello World');
app.get('/users/:id', { schema: { params: id } }, ({ params, query }) => ({ id: params.id, query }));
app.get('/who', ({ ip, protocol, hostname, url }) => ({ ip, protocol, hostname, url }));
app.post('/form', ({ body }, reply) => reply.code(201).send(body));
app.get('/elsewhere', (request, reply) => reply.redirect('/users/1'));
app.register(
  async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      reply.header('X-Scope', 'inner');
    });
    scope.get('/deep', () => ({ scope: 'inner' }));
  },
  { prefix: '/inner' },
);

const visits = new Map();
app.get('/visits', ({ headers }, reply) => {
  const [, known] = /(?:^|; )visitor=([\w-]+)/.exec(headers.cookie ?? '') ?? [];
  const visitor = visits.has(known) ? known : randomUUID();
  visits.set(visitor, (visits.get(visitor) ?? 0) + 1);
  reply.header('Set-Cookie', [`visitor=${visitor}; Path=/; HttpOnly; SameSite=Lax`, 'seen=yes; Path=/']);
  return reply.send({ visits: visits.get(visitor) });
});

// A body that is made while it is sent.
app.get('/numbers', (request, reply) => {
  const numbers = function* () {
    for (let i = 1; i <= 10_000; i++) yield `${i}\n`;
  };
  return reply.type('text/plain').send(Readable.from(numbers(), { objectMode: false }));
});

app.put('/upload', async ({ body }) => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
});

app.get('/broken', () => {
  throw new Error('broken');
});
app.setNotFoundHandler((request, reply) => reply.code(404).type('text/html').send('<h1>Not found</h1>'));
app.setErrorHandler((error, request, reply) =>
  reply
    .code(error.statusCode ?? 500)
    .type('text/html')
    .send(`<h1>${error.message}</h1>`),
);

const [, , protocol, socket] = process.argv;
await app.listen({ path: socket });
console.log(`${protocol} on ${socket}`);
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => app.close());
