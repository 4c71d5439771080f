/** Frameworks that serve files, by themselves and through the adapters of examples/: the answers are the same. */
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import type * as http from 'node:http';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import express, { type Express } from 'express';
import Fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { sendFileStats } from 'nearwire/http';
import { LONG_AGO } from '../support/files.js';
import { request, target } from '../support/http.js';
import { cleanup, listen, pattern, temporaryDirectory } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const SIZE = 300_000;

type Adapter<App> = (app: App) => App;

async function adapterOf<App>(example: string): Promise<Adapter<App>> {
  const { useSendFile } = (await import(new URL(`../../examples/${example}`, import.meta.url).href)) as {
    useSendFile: Adapter<App>;
  };
  return useSendFile;
}

/** A root with files of all kinds, and one beside it that is nobody's. */
function makeRoot(): string {
  const above = temporaryDirectory();
  const root = join(above, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(root, 'empty'));
  const files = [
    'file.bin',
    'page.html',
    'sub/index.html',
    '.hidden',
    'with space and %.txt',
    'ä.txt',
    '../secret.txt',
  ];
  for (const [i, name] of files.entries()) {
    const path = join(root, name);
    writeFileSync(
      path,
      name === 'file.bin' ? pattern(SIZE) : name.startsWith('..') ? 'not for you' : `${String(i)} ${name}`,
    );
    utimesSync(path, LONG_AGO, LONG_AGO);
  }
  writeFileSync(join(root, 'none'), '');
  utimesSync(join(root, 'none'), LONG_AGO, LONG_AGO);
  symlinkSync(join(root, 'page.html'), join(root, 'link.html'));
  return root;
}

const date = LONG_AGO.toUTCString();

/** Method, path, headers. `ETAG` stands for what the first answer said. */
const REQUESTS: [string, string, Record<string, string>?][] = [
  ['GET', '/file.bin'],
  ['HEAD', '/file.bin'],
  ['GET', '/file.bin', { Range: 'bytes=10-99' }],
  ['GET', '/file.bin', { Range: 'bytes=299999-' }],
  ['GET', '/file.bin', { Range: 'bytes=300000-' }],
  ['GET', '/file.bin', { Range: 'bytes=0-1,3-4' }],
  ['GET', '/file.bin', { Range: 'bytes=0-9', 'If-Range': 'ETAG' }],
  ['GET', '/file.bin', { Range: 'bytes=0-9', 'If-Range': '"other"' }],
  ['GET', '/file.bin', { 'If-None-Match': 'ETAG' }],
  ['GET', '/file.bin', { 'If-None-Match': '"other"' }],
  ['GET', '/file.bin', { 'If-Modified-Since': date }],
  ['GET', '/file.bin', { 'If-Match': '"other"' }],
  ['GET', '/page.html'],
  ['GET', '/link.html'],
  ['GET', '/none'],
  ['GET', '/sub/'],
  ['GET', '/sub/index.html'],
  ['GET', '/empty/'],
  ['GET', '/missing'],
  ['GET', '/.hidden'],
  ['GET', '/with%20space%20and%20%25.txt'],
  ['GET', '/%C3%A4.txt'],
  ['GET', '/../secret.txt'],
  ['GET', '/%2e%2e/secret.txt'],
  ['GET', '/..%2fsecret.txt'],
  ['GET', '/sub/..%2f..%2fsecret.txt'],
  ['GET', '/file.bin%00.html'],
];

async function answersOf(options: http.RequestOptions): Promise<unknown[]> {
  const first = await request({ ...options, agent: false, path: '/file.bin' });
  const etag = first.headers.etag ?? '';
  const answers: unknown[] = [];
  for (const [method, path, given = {}] of REQUESTS) {
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value === 'ETAG' ? etag : value]),
    );
    const answer = await request({ ...options, agent: false, method, path, headers });
    const stable = { ...answer.headers, date: undefined };
    answers.push([method, path, given, answer.status, stable, answer.body.toString('latin1')]);
    expect(answer.body.toString()).not.toContain('not for you');
  }
  return answers;
}

const ways = everyWay.filter(({ name }) => name !== 'node:net');

describe.each(ways)('files by frameworks: $name over $family', ({ subject, family }) => {
  /** Bodies that have gone by the road that this subject has. */
  const sent = (): number => sendFileStats()[subject.name === 'native' ? 'byReference' : 'byCopy'];

  async function serve(handler: http.RequestListener): Promise<http.RequestOptions> {
    return target(await listen(subject.http.createServer({}, handler), family));
  }

  function expressApp(root: string, adapt: Adapter<Express> = (app) => app): Express {
    const app = adapt(express());
    app.get('/download', (_req, res) => {
      res.sendFile('file.bin', { root, maxAge: 60_000, headers: { 'X-Mine': 'yes' } });
    });
    app.use((req, res) => {
      res.sendFile(decodeURI(req.path), { root }, (error?: NodeJS.ErrnoException & { status?: number }) => {
        if (error !== undefined && !res.headersSent) res.status(error.status ?? 404).json(error.code ?? error.message);
      });
    });
    return app;
  }

  it("Express's res.sendFile", async () => {
    const root = makeRoot();
    const adapt = await adapterOf<Express>('express-send-file.mjs');
    const [plain, adapted] = [await serve(expressApp(root)), await serve(expressApp(root, adapt))];
    const wanted = await answersOf(plain);
    const before = sent();
    expect(await answersOf(adapted)).toEqual(wanted);
    expect(sent() - before).toBeGreaterThan(10);
    const download = await request({ ...adapted, agent: false, path: '/download' });
    expect(download.headers).toMatchObject({ 'x-mine': 'yes', 'cache-control': 'public, max-age=60' });
    expect(download.body.equals(pattern(SIZE))).toBe(true);
  });

  async function fastifyApp(root: string, adapt: Adapter<FastifyInstance> = (app) => app): Promise<FastifyInstance> {
    const fastify = adapt(Fastify({ serverFactory: (handler) => subject.http.createServer({}, handler) }));
    cleanup(() => fastify.close());
    const told: string[] = [];
    fastify.addHook('onResponse', (req, reply, done) => {
      told.push(`${req.method} ${String(reply.statusCode)}`);
      done();
    });
    fastify.get('/told', () => told);
    fastify.get('/download', (_req, reply) => reply.header('X-Mine', 'yes').download('file.bin', { maxAge: 60_000 }));
    await fastify.register(fastifyStatic, { root, dotfiles: 'ignore' });
    return fastify;
  }

  async function listening(fastify: FastifyInstance): Promise<http.RequestOptions> {
    await fastify.ready();
    return target(await listen(fastify.server, family));
  }

  it('@fastify/static', async () => {
    const root = makeRoot();
    const adapt = await adapterOf<FastifyInstance>('fastify-static.mjs');
    const plain = await listening(await fastifyApp(root));
    const adapted = await listening(await fastifyApp(root, adapt));
    const wanted = await answersOf(plain);
    const before = sent();
    expect(await answersOf(adapted)).toEqual(wanted);
    expect(sent() - before).toBeGreaterThan(10);
    const told = async (at: http.RequestOptions): Promise<string> =>
      (await request({ ...at, agent: false, path: '/told' })).body.toString();
    expect(await told(adapted)).toEqual(await told(plain));
    const download = await request({ ...adapted, agent: false, path: '/download' });
    expect(download.headers).toMatchObject({ 'x-mine': 'yes', 'cache-control': 'public, max-age=60' });
    expect(download.body.equals(pattern(SIZE))).toBe(true);
  });
});
