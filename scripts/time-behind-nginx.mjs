// Measures what a request costs an unchanged app behind nginx: CPU time of the app's process, on node:net and under
// nearwire/register, in turns. nginx is one worker that speaks to a UNIX socket over kept connections ("kept") or one for
// each request in HTTP/1.0 ("each", its default; in 1.1 to a server that refuses 1.0); wrk loads it with 32 connections.
// Beside "hello" and "json" other servers take part with --rivals: the bench's plain C, uWebSockets.js (--uws FOLDER of
// the package), Bun (--bun PROGRAM). --limit adds a row to each app that is asked with GET: what it would cost on a server
// as cheap as plain C, which no server for Node can undercut. That is the app on node:net, less hello on node:net, plus C.
// usage: node scripts/time-behind-nginx.mjs [--rounds 5] [--seconds 2] [--limit] [--rivals] [--uws FOLDER]
//   [--bun PROGRAM] [APP ...]
// Needs nginx, wrk and `npm run build`.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { growHeap } from './grown-heap.mjs';
import { rivals } from './rival-servers.mjs';

const ANSWER = { hello: 'world' };
const SMALL = 64 * 1024;
const LARGE = 1024 * 1024;
const MODES = ['kept', 'each'];
const SELF = fileURLToPath(import.meta.url);

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

/** Clock ticks of a process so far: in its own code, and in the kernel. */
function ticksOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return [Number(fields[11]), Number(fields[12])];
}

async function load(port, seconds, script) {
  const words = ['-t1', '-c32', `-d${seconds}s`, ...script, `http://127.0.0.1:${port}/`];
  const { stdout: text } = await promisify(execFile)('wrk', words);
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

function ownSubject(name, app, options = []) {
  return {
    name,
    start: (folder) => [process.execPath, [...options, SELF, '--serve', app, join(folder, name)]],
  };
}

/** The app on node:net, which the others are compared with, and under nearwire. */
function ourSubjects(app) {
  return [ownSubject('node', app), ownSubject('native', app, ['--require', 'nearwire/register'])];
}

/** What `withLimit` calculates from: hello on node:net, and plain C. */
function limitSubjects() {
  return [ownSubject('hello', 'hello'), ...rivals({})];
}

/** Puts the limit of each round in the place of the last two rows, which are those of `limitSubjects`. */
function withLimit(rows) {
  const [hello, plainC] = rows.slice(-2);
  const samples = rows[0].samples.map((cost, round) => cost - hello.samples[round] + plainC.samples[round]);
  return [...rows.slice(0, -2), { name: 'limit', samples }];
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
async function sample(subject, seconds) {
  const { child, port, script } = subject;
  const before = cpuOf(child.pid);
  const [user, kernel] = ticksOf(child.pid);
  const requests = await load(port, seconds, script);
  const [userAfter, kernelAfter] = ticksOf(child.pid);
  subject.user += userAfter - user;
  subject.kernel += kernelAfter - kernel;
  return (cpuOf(child.pid) - before) / requests;
}

/** What the kernel did for it, of all the CPU time of its samples. */
function kernelShare({ user, kernel }) {
  return `${Math.round((100 * kernel) / (user + kernel))} % the kernel's`;
}

function report(app, mode, rows) {
  const [node] = rows;
  console.log(`${app.padEnd(12)} ${mode}  node ${median(node.samples).toPrecision(3)} us, ${kernelShare(node)}`);
  for (const row of rows.slice(1)) {
    const ratios = row.samples.map((cost, round) => cost / node.samples[round]).sort((a, b) => a - b);
    const [lowest, highest] = [ratios[0], ratios.at(-1)].map((ratio) => ratio.toFixed(2));
    const cost = `${median(row.samples).toPrecision(3)} us: ${median(ratios).toFixed(2)}x (${lowest} to ${highest})`;
    console.log(`  ${row.name.padEnd(16)} ${cost}${row.kernel === undefined ? '' : `, ${kernelShare(row)}`}`);
  }
}

async function startNginx(folder, routes) {
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, routes));
  const nginx = spawn('nginx', ['-p', folder, '-c', file], { stdio: 'inherit' });
  await once(nginx, 'spawn');
  while (!existsSync(join(folder, 'pid')) || readFileSync(join(folder, 'pid'), 'utf8') === '') {
    if (nginx.exitCode !== null) throw new Error('nginx has ended');
    await new Promise(setImmediate);
  }
  return nginx;
}

/** Takes `samples` of each in turns; who is first changes by the round. */
async function sampleInTurns(subjects, { rounds, seconds }) {
  for (const { port, script } of subjects) await load(port, seconds, script);
  const rows = subjects.map((subject) => ({ ...subject, samples: [], user: 0, kernel: 0 }));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[(round + i) % rows.length];
      row.samples.push(await sample(row, seconds));
    }
  }
  return rows;
}

async function measure(app, others, folder, { limit, ...settings }) {
  const running = [];
  const hasLimit = limit && app !== 'hello' && !POSTS.includes(app);
  const subjects = [...ourSubjects(app), ...others, ...(hasLimit ? limitSubjects() : [])];
  let nginx;
  try {
    for (const subject of subjects) running.push(await startSubject(subject, folder));
    const script = POSTS.includes(app) ? postScript(folder) : [];
    const routes = MODES.flatMap((mode, i) =>
      running.map((subject, j) => ({ ...subject, mode, script, port: 18_100 + running.length * i + j })),
    );
    nginx = await startNginx(folder, routes);
    for (const mode of MODES) {
      const routed = routes.filter((route) => route.mode === mode);
      const rows = await sampleInTurns(routed, settings);
      report(app, mode, hasLimit ? withLimit(rows) : rows);
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
    limit: { type: 'boolean', default: false },
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
  const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds), limit: values.limit };
  const hasRivals = values.rivals || values.uws !== undefined || values.bun !== undefined;
  const others = (app) => (hasRivals ? rivals({ ...values, app }) : []);
  console.log(`Node ${process.versions.node}, CPU of the app a request; median of ${settings.rounds} rounds`);
  try {
    for (const name of names) await measure(name, others(name), folder, settings);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
