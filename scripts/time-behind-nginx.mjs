// Measures what a request costs an unchanged app behind nginx: CPU time of the app's process, on node:net and under
// nearwire/register, in turns. nginx is one worker that speaks to a UNIX socket over kept connections ("kept") or one for
// each request in HTTP/1.0 ("each", its default; in 1.1 to a server that refuses 1.0); wrk loads it with 32 connections.
// Beside "hello" other servers take part with --rivals: the bench's plain C, uWebSockets.js (--uws FOLDER of the
// package), Bun (--bun PROGRAM).
// usage: node scripts/time-behind-nginx.mjs [--rounds 5] [--seconds 2] [--rivals] [--uws FOLDER] [--bun PROGRAM] [APP ...]
// Needs nginx, wrk and `npm run build`.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rivals } from './rival-servers.mjs';

const ANSWER = { hello: 'world' };
const SMALL = 64 * 1024;
const LARGE = 1024 * 1024;
const MODES = ['kept', 'each'];
const SELF = fileURLToPath(import.meta.url);

/** A live heap of 100 MB, as that of an app that has run for a while. */
function growHeap() {
  globalThis.heap = Array.from({ length: 800_000 }, (_, i) => ({ number: i, text: `entry ${i}`, list: [i, i + 1] }));
}

function answerPosted(request, response) {
  let text = '';
  request.setEncoding('utf8').on('data', (piece) => (text += piece));
  request.on('end', () => {
    const body = JSON.stringify(JSON.parse(text));
    response
      .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
      .end(body);
  });
}

function sendNew(size) {
  return http.createServer((_, response) => response.end(Buffer.alloc(size, 'x')));
}

function sendFile(size) {
  const file = process.env.FOLDER + `/file-${size}`;
  writeFileSync(file, Buffer.alloc(size, 'x'));
  return http.createServer((_, response) => createReadStream(file).pipe(response));
}

async function expressApp() {
  const { default: express } = await import('express');
  return express();
}

/** By name: makes the server. Those in POSTS get a body of 1 KB of JSON. */
const APPS = {
  hello: () => http.createServer((_, response) => response.end('hello world')),
  express: async () => http.createServer((await expressApp()).get('/', (_, response) => response.json(ANSWER))),
  async fastify() {
    const { default: createApp } = await import('fastify');
    const app = createApp();
    app.get('/', () => ANSWER);
    await app.ready();
    return app.server;
  },
  async koa() {
    const { default: Koa } = await import('koa');
    const app = new Koa();
    // Its connections are cut at the end of each load.
    app.silent = true;
    app.use((context) => {
      context.body = ANSWER;
    });
    return http.createServer(app.callback());
  },
  async hono() {
    const [{ Hono }, { createAdaptorServer }] = await Promise.all([import('hono'), import('@hono/node-server')]);
    return createAdaptorServer({ fetch: new Hono().get('/', (context) => context.json(ANSWER)).fetch });
  },
  json() {
    growHeap();
    return http.createServer(answerPosted);
  },
  async 'express-json'() {
    growHeap();
    const { default: express } = await import('express');
    const app = express().use(express.json());
    return http.createServer(app.post('/', (request, response) => response.json(request.body)));
  },
  'buffer-64k': () => sendNew(SMALL),
  'buffer-1m': () => sendNew(LARGE),
  'stream-64k': () => sendFile(SMALL),
  'stream-1m': () => sendFile(LARGE),
};
const POSTS = ['json', 'express-json'];

async function serveAsChild(name, path) {
  const server = await APPS[name]();
  server.listen(path, () => console.log('up'));
}

function configuration(folder, routes) {
  const upstreams = routes.map(({ port, path, mode, refusesHttp10 }) =>
    mode === 'kept'
      ? `upstream app${port} { server unix:${path}; keepalive 32; keepalive_requests 1000000000; }
         server { listen 127.0.0.1:${port}; keepalive_requests 1000000000;
           location / { proxy_pass http://app${port}; proxy_http_version 1.1; proxy_set_header Connection ""; } }`
      : `upstream app${port} { server unix:${path}; }
         server { listen 127.0.0.1:${port}; keepalive_requests 1000000000;
           location / { proxy_http_version ${refusesHttp10 ? '1.1' : '1.0'}; proxy_set_header Connection close; proxy_pass http://app${port}; } }`,
  );
  // Started by root its worker would be another user, who may not connect to our sockets.
  const user = process.getuid() === 0 ? `user ${userInfo().username};` : '';
  return `daemon off; ${user} worker_processes 1; pid ${folder}/pid; error_log ${folder}/errors;
    events { worker_connections 4096; }
    http { access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
      uwsgi_temp_path ${folder}; scgi_temp_path ${folder}; proxy_max_temp_file_size 0; ${upstreams.join('\n')} }`;
}

/** CPU time of a process so far, in microseconds: of all its threads, and exact, where /proc/PID/stat counts ticks. */
function cpuOf(pid) {
  const tasks = execFileSync('sh', ['-c', `cat /proc/${pid}/task/*/schedstat`], { encoding: 'utf8' });
  return tasks.split('\n').reduce((sum, line) => sum + Number(line.split(' ', 1)[0]), 0) / 1000;
}

async function load(port, seconds, script) {
  const words = ['-t1', '-c32', `-d${seconds}s`, ...script, `http://127.0.0.1:${port}/`];
  const wrk = spawn('wrk', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pieces = await wrk.stdout.setEncoding('utf8').toArray();
  const text = pieces.join('');
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(text)) throw new Error(`wrk: ${text}`);
  return requests;
}

function postScript(folder) {
  const file = join(folder, 'post.lua');
  const body = JSON.stringify({ name: 'value', list: Array.from({ length: 60 }, (_, i) => `number ${i}`) });
  writeFileSync(
    file,
    `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[${body}]]\n`,
  );
  return ['-s', file];
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** The app on node:net, which the others are compared with, and under nearwire. */
function ourSubjects(app) {
  const subject = (name, options) => ({
    name,
    start: (folder) => [process.execPath, [...options, SELF, '--serve', app, join(folder, name)]],
  });
  return [subject('node', []), subject('native', ['--require', 'nearwire/register'])];
}

/** Each in a process, which writes a line when it listens. */
async function startSubject({ start, ...subject }, folder) {
  const { name } = subject;
  const child = spawn(...start(folder), {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, FOLDER: folder },
  });
  const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => [])]);
  if (line === undefined) throw new Error(`${name} has ended`);
  return { ...subject, child, path: join(folder, name) };
}

/** In microseconds of CPU a request. */
async function sample({ child, port, script }, seconds) {
  const before = cpuOf(child.pid);
  const requests = await load(port, seconds, script);
  return (cpuOf(child.pid) - before) / requests;
}

function report(app, mode, names, samples) {
  const costs = samples.map(median);
  console.log(`${app.padEnd(12)} ${mode}  node ${costs[0].toPrecision(3)} us`);
  for (let i = 1; i < names.length; i++) {
    const ratios = samples[i].map((cost, round) => cost / samples[0][round]).sort((a, b) => a - b);
    const [lowest, highest] = [ratios[0], ratios.at(-1)].map((ratio) => ratio.toFixed(2));
    console.log(
      `  ${names[i].padEnd(16)} ${costs[i].toPrecision(3)} us: ${median(ratios).toFixed(2)}x (${lowest} to ${highest})`,
    );
  }
}

async function startNginx(folder, routes) {
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, routes));
  const nginx = spawn('nginx', ['-p', folder, '-c', file], { stdio: 'inherit' });
  while (!existsSync(join(folder, 'pid')) || readFileSync(join(folder, 'pid'), 'utf8') === '') {
    if (nginx.exitCode !== null) throw new Error('nginx has ended');
    await new Promise(setImmediate);
  }
  return nginx;
}

/** Samples of each in turns; who is first changes by the round. */
async function sampleInTurns(subjects, { rounds, seconds }) {
  for (const { port, script } of subjects) await load(port, seconds, script);
  const samples = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const at = (round + i) % subjects.length;
      samples[at].push(await sample(subjects[at], seconds));
    }
  }
  return samples;
}

async function measure(app, others, folder, settings) {
  const running = [];
  let nginx;
  try {
    for (const subject of [...ourSubjects(app), ...others]) running.push(await startSubject(subject, folder));
    const script = POSTS.includes(app) ? postScript(folder) : [];
    const routes = MODES.flatMap((mode, i) =>
      running.map((subject, j) => ({ ...subject, mode, script, port: 18_100 + running.length * i + j })),
    );
    nginx = await startNginx(folder, routes);
    for (const mode of MODES) {
      const subjects = routes.filter((route) => route.mode === mode);
      const names = subjects.map(({ name }) => name);
      report(app, mode, names, await sampleInTurns(subjects, settings));
    }
  } finally {
    for (const { child } of running) child.kill();
    if (nginx?.exitCode === null) {
      nginx.kill('SIGTERM');
      await once(nginx, 'exit');
    }
    for (const name of ['pid', ...running.map((subject) => subject.name)]) rmSync(join(folder, name), { force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    serve: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    rivals: { type: 'boolean', default: false },
    uws: { type: 'string' },
    bun: { type: 'string' },
  },
});

if (values.serve !== undefined) {
  await serveAsChild(values.serve, positionals[0]);
} else {
  const names = positionals.length > 0 ? positionals : Object.keys(APPS);
  const unknown = names.find((name) => !Object.hasOwn(APPS, name));
  if (unknown !== undefined) {
    console.error(`no app "${unknown}": there are ${Object.keys(APPS).join(', ')}`);
    process.exit(2);
  }
  const folder = mkdtempSync(join(tmpdir(), 'nearwire-nginx-'));
  const others = values.rivals || values.uws || values.bun ? rivals(values) : [];
  const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  console.log(`Node ${process.versions.node}, CPU of the app a request; median of ${settings.rounds} rounds`);
  try {
    for (const name of names) await measure(name, name === 'hello' ? others : [], folder, settings);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
