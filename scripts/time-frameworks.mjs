// Times a request through web frameworks in memory: from the bytes that a read has returned to those that a system call
// would be given, on node:http and on nearwire/http in one process, in turns. What is left of it on nearwire is the
// framework's own. usage: node scripts/time-frameworks.mjs [hello|express|koa|fastify|hono ...]
import { runTicks } from 'nearwire/internal';
import { nearwireInMemory, nodeInMemory } from '../bench/dist/micro/serving.js';

/** Requests of one after the other, between which the loop turns: as many as of a busy server in one iteration. */
const CONNECTIONS = 50;
const BATCH = 20_000;
const ROUNDS = 15;

const HEAD = Buffer.from(
  [
    'GET /hello?name=value HTTP/1.1',
    'Host: localhost',
    'X-Real-IP: 203.0.113.7',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Accept: text/html,*/*;q=0.8',
    '',
    '',
  ].join('\r\n'),
);

const ANSWER = { hello: 'world' };

const FRAMEWORKS = {
  hello: () => (_, response) => response.end('Hello, world!'),
  async express() {
    const { default: express } = await import('express');
    return express().get('/hello', (_, response) => response.json(ANSWER));
  },
  async koa() {
    const { default: Koa } = await import('koa');
    return new Koa()
      .use((context) => {
        context.body = ANSWER;
      })
      .callback();
  },
  async fastify() {
    const { default: createApp } = await import('fastify');
    const app = createApp();
    app.get('/hello', (_, reply) => reply.send(ANSWER));
    await app.ready();
    return (request, response) => app.routing(request, response);
  },
  async hono() {
    const [{ Hono }, { getRequestListener }] = await Promise.all([import('hono'), import('@hono/node-server')]);
    return getRequestListener(new Hono().get('/hello', (context) => context.json(ANSWER)).fetch);
  },
};

/** Nanoseconds a request. */
async function timeBatch(server) {
  const [began, before] = [process.hrtime.bigint(), server.taken()];
  for (let i = 0; i < BATCH; i++) {
    server.read(i % CONNECTIONS, HEAD);
    runTicks();
    if (i % CONNECTIONS === CONNECTIONS - 1) await new Promise(setImmediate);
  }
  const nanoseconds = Number(process.hrtime.bigint() - began) / BATCH;
  if (server.taken() - before < BATCH * 100) throw new Error('not all requests were answered');
  return nanoseconds;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

async function time(name) {
  const listener = await FRAMEWORKS[name]();
  const servers = [nodeInMemory(listener, CONNECTIONS), nearwireInMemory(listener, CONNECTIONS)];
  const samples = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) samples[i].push(await timeBatch(servers[i]));
  }
  const [nodes, ours] = samples.map(median);
  const ratios = samples[1].map((value, round) => value / samples[0][round]).sort((a, b) => a - b);
  const range = [ratios[1], ratios.at(-2)].map((ratio) => ratio.toFixed(2)).join(' to ');
  console.log(
    `${name.padEnd(8)} node ${(nodes / 1000).toFixed(2)} us, nearwire ${(ours / 1000).toFixed(2)} us: ${median(ratios).toFixed(2)}x (${range})`,
  );
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(FRAMEWORKS);
const unknown = names.find((name) => !Object.hasOwn(FRAMEWORKS, name));
if (unknown !== undefined) {
  console.error(`no framework "${unknown}": there are ${Object.keys(FRAMEWORKS).join(', ')}`);
  process.exit(2);
}
console.log(`Node ${process.versions.node}`);
for (const name of names) await time(name);
process.exit();
