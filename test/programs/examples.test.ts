/** examples/uwsgi: each application runs behind a real nginx with its configuration, by uwsgi and by HTTP alike. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../bench/cost/free-port.js';
import { request, type Answer } from '../support/http.js';
import { runNginx } from '../support/nginx.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, pattern, temporaryDirectory } from '../support/sockets.js';
import { UWSGI_PARAMS } from '../support/uwsgi/comparison.js';
import { sha } from '../support/uwsgi/echo.js';
import { startUwsgi } from '../support/uwsgi/server.js';

const nginx = requireOrSkip('nginx');
const uwsgi = requireOrSkip('uwsgi');
const analyze = requireOrSkip('systemd-analyze');
const EXAMPLES = fileURLToPath(new URL('../../examples/uwsgi/', import.meta.url));
/** Where the examples have their sockets and their programs. */
const RUN = '/run/nearwire-app';
const PROGRAMS = '/srv/nearwire-app/';

async function started(words: readonly string[]): Promise<ChildProcess> {
  const [program = '', ...rest] = words;
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  cleanup(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  const failed = gone.then(() => {
    throw new Error(`${words.join(' ')} ended before it listened`);
  });
  await Promise.race([once(child.stdout, 'data'), failed]);
  // It ends when it is told to, which is no failure.
  failed.catch(() => undefined);
  return child;
}

interface Fronts {
  uwsgi: number;
  http: number;
}

/** nginx with the example's configuration, on other ports and another directory. */
async function startExample(app: string): Promise<Fronts> {
  const directory = temporaryDirectory();
  const fronts = { uwsgi: await freePort(), http: await freePort() };
  copyFileSync(UWSGI_PARAMS, join(directory, 'uwsgi_params'));
  const configuration = readFileSync(join(EXAMPLES, 'nginx.conf'), 'utf8')
    .replaceAll(RUN, directory)
    .replace('listen 8080;', `listen 127.0.0.1:${String(fronts.uwsgi)};`)
    .replace('listen 8081;', `listen 127.0.0.1:${String(fronts.http)};`);
  for (const protocol of ['uwsgi', 'http']) {
    await started([process.execPath, join(EXAMPLES, app), protocol, join(directory, `${protocol}.sock`)]);
  }
  await runNginx(nginx ?? '', directory, 'root', [configuration]);
  return fronts;
}

type Options = Omit<http.RequestOptions, 'port'> & { body?: Buffer | string };

/** Asks both fronts, and answers what they answer alike: all but the times, and what is made by chance. */
async function ask({ uwsgi, http: proxy }: Fronts, path: string, { body, ...options }: Options = {}): Promise<Answer> {
  const [first, second] = await Promise.all(
    [uwsgi, proxy].map((port) => request({ ...options, host: '127.0.0.1', port, path, agent: false }, body)),
  );
  if (first === undefined || second === undefined) throw new Error('two were asked');
  const shown = ({ status, headers, body: bytes }: Answer): unknown => ({
    status,
    headers: { ...headers, date: '', 'set-cookie': headers['set-cookie']?.map((one) => one.replace(/=[^;]+/, '=')) },
    body: bytes.toString('latin1').replaceAll(String(proxy), String(uwsgi)),
  });
  expect(shown(first)).toEqual(shown(second));
  return first;
}

/** What each application can do. All of it is asked of one start: that takes a while. */
const CHECKS: Record<string, (fronts: Fronts, isExpress: boolean) => Promise<void>> = {
  async 'says hello, and knows parameters, queries and redirections'(fronts, isExpress) {
    expect(String((await ask(fronts, '/')).body)).toBe('Hello World');
    const user = await ask(fronts, '/users/7?a=1&b=%20x');
    expect(JSON.parse(String(user.body))).toEqual({ id: isExpress ? '7' : 7, query: { a: '1', b: ' x' } });
    expect(await ask(fronts, '/elsewhere')).toMatchObject({ status: 302, headers: { location: '/users/1' } });
    const head = await ask(fronts, '/', { method: 'HEAD' });
    expect([head.headers['content-length'], head.body.length]).toEqual(['11', 0]);
  },

  async 'knows its client'(fronts) {
    const { body } = await ask(fronts, '/who?x', { headers: { Host: 'example.org' } });
    const seen = { ip: '127.0.0.1', protocol: 'http', hostname: 'example.org' };
    expect(JSON.parse(String(body))).toMatchObject({ ...seen, url: '/who?x' });
  },

  async 'serves files, whole, in part and not again'(fronts) {
    const css = readFileSync(join(EXAMPLES, 'public/style.css'));
    const whole = await ask(fronts, '/static/style.css');
    expect(whole.body.equals(css)).toBe(true);
    const part = await ask(fronts, '/static/style.css', { headers: { Range: 'bytes=0-3' } });
    expect([part.status, String(part.body)]).toEqual([206, 'body']);
    const { etag } = whole.headers;
    expect(etag).toBeDefined();
    expect(await ask(fronts, '/static/style.css', { headers: { 'If-None-Match': etag } })).toMatchObject({
      status: 304,
    });
    // nginx leaves the path as it is, and the frameworks have a word each for what is not theirs.
    expect([403, 404]).toContain((await ask(fronts, '/static/../express-app.mjs')).status);
  },

  async 'knows who comes again'(fronts) {
    for (const port of [fronts.uwsgi, fronts.http]) {
      const there = { host: '127.0.0.1', port, path: '/visits', agent: false } as const;
      const first = await request(there);
      const cookies = first.headers['set-cookie']?.map((cookie) => cookie.split(';')[0]);
      expect(cookies).toHaveLength(2);
      const again = await request({ ...there, headers: { Cookie: cookies?.join('; ') } });
      expect([first, again].map(({ body }) => JSON.parse(String(body)) as unknown)).toEqual([
        { visits: 1 },
        { visits: 2 },
      ]);
    }
    await ask(fronts, '/visits');
  },

  async 'streams what it sends, and what it is sent'(fronts) {
    const { body } = await ask(fronts, '/numbers');
    expect(String(body)).toBe(Array.from({ length: 10_000 }, (_, i) => `${String(i + 1)}\n`).join(''));
    const bytes = pattern(3_000_000);
    const headers = { 'Content-Type': 'application/octet-stream' };
    // With its length, and in chunks.
    for (const more of [{ 'Content-Length': bytes.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const upload = await ask(fronts, '/upload', { method: 'PUT', headers: { ...headers, ...more }, body: bytes });
      expect(JSON.parse(String(upload.body))).toEqual({ bytes: bytes.length, sha256: sha(bytes) });
    }
  },

  async 'takes forms and JSON'(fronts) {
    for (const [type, body] of [
      ['application/x-www-form-urlencoded', 'a=1&b=x+y'],
      ['application/json', '{"a":"1","b":"x y"}'],
    ] as const) {
      const answer = await ask(fronts, '/form', { method: 'POST', headers: { 'Content-Type': type }, body });
      expect([answer.status, JSON.parse(String(answer.body))]).toEqual([201, { a: '1', b: 'x y' }]);
    }
    const bad = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{' };
    expect(await ask(fronts, '/form', bad)).toMatchObject({ status: 400 });
  },

  async 'has its own pages for what goes wrong'(fronts) {
    const missing = await ask(fronts, '/missing');
    expect([missing.status, String(missing.body)]).toEqual([404, '<h1>Not found</h1>']);
    const broken = await ask(fronts, '/broken');
    expect([broken.status, String(broken.body)]).toEqual([500, '<h1>broken</h1>']);
  },

  async 'has what its framework is used for'(fronts, isExpress) {
    if (isExpress) {
      const html = await ask(fronts, '/negotiated', { headers: { Accept: 'text/html' } });
      const json = await ask(fronts, '/negotiated', { headers: { Accept: 'application/json' } });
      expect([html, json].map(({ body }) => String(body))).toEqual(['<p>html</p>', '"json"']);
    } else {
      expect(await ask(fronts, '/inner/deep')).toMatchObject({ status: 200, headers: { 'x-scope': 'inner' } });
      expect(await ask(fronts, '/users/x')).toMatchObject({ status: 400 });
    }
  },
};

describe.skipIf(nginx === undefined).each(['express-app.mjs', 'fastify-app.mjs'])('%s', (app) => {
  // Three programs are started, which takes a busy machine a while.
  it('answers by uwsgi as by HTTP', { timeout: 120_000 }, async () => {
    const fronts = await startExample(app);
    for (const [name, check] of Object.entries(CHECKS)) {
      await check(fronts, app.startsWith('express')).catch((cause: unknown) => {
        throw new Error(name, { cause });
      });
    }
  });
});

describe.skipIf(uwsgi === undefined)('router.mjs', () => {
  it('stands before a uWSGI server', async () => {
    const { path } = await startUwsgi(uwsgi ?? '');
    const socketPath = join(temporaryDirectory(), 'router.sock');
    await started([process.execPath, join(EXAMPLES, 'router.mjs'), path, socketPath]);
    const bytes = pattern(500_000);
    for (const more of [{ 'Content-Length': bytes.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const answer = await request({ socketPath, method: 'POST', path: '/digest', headers: more, agent: false }, bytes);
      expect([answer.status, String(answer.body)]).toEqual([201, `500000 ${sha(bytes)}`]);
    }
    const chunked = { socketPath, method: 'POST', path: '/digest', headers: { 'Transfer-Encoding': 'chunked' } };
    // On a connection that is kept the server reads what it refuses; it would close another with the client still writing.
    const agent = new http.Agent({ keepAlive: true });
    cleanup(() => {
      agent.destroy();
    });
    expect(await request({ ...chunked, agent }, pattern(1_100_000))).toMatchObject({ status: 413 });
    const { headers } = await request({ socketPath, path: '/environ', headers: { Cookie: 'a=1' }, agent: false });
    expect(headers).toMatchObject({ 'x-twice': 'a, b', 'set-cookie': ['a=1; Path=/', 'b=2'] });
    expect(await request({ socketPath, path: '/die', agent: false })).toMatchObject({ status: 502 });
  });
});

describe('nearwire-app.service', () => {
  const unit = readFileSync(join(EXAMPLES, 'nearwire-app.service'), 'utf8');
  const valueOf = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

  it.skipIf(analyze === undefined)('is a unit that systemd takes', () => {
    const path = join(temporaryDirectory(), 'nearwire-app.service');
    writeFileSync(path, unit.replace('/usr/bin/node', process.execPath));
    // What it complains of goes to stderr, and makes it fail.
    const words = ['verify', '--man=no', '--recursive-errors=no', path];
    expect(execFileSync(analyze ?? '', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })).toBe('');
  });

  it('starts what is there, on a socket for its group', async () => {
    const directory = temporaryDirectory();
    const command = valueOf('ExecStart')
      .replace('/usr/bin/node', process.execPath)
      .replace(PROGRAMS, EXAMPLES)
      .replace(RUN, directory);
    const child = await started(['/bin/sh', '-c', `umask ${valueOf('UMask')}; exec ${command}`]);
    expect(statSync(join(directory, 'uwsgi.sock')).mode & 0o777).toBe(0o770);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
