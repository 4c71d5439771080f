// Measures what a request costs a server of fetch handlers: CPU time of the process, over kept connections on a UNIX
// socket, on @hono/node-server over node:http, on serve() of nearwire/http, and on Bun.serve if its program is given, in
// turns. usage: node scripts/time-fetch.mjs [--bun PROGRAM]
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const CONNECTIONS = 16;
const WARM_UP = 20_000;
const BATCH = 20_000;
const ROUNDS = 7;

const REQUEST = Buffer.from('GET /hello HTTP/1.1\r\nHost: localhost\r\nUser-Agent: time-fetch\r\nAccept: */*\r\n\r\n');

async function onHono(path, fetch, overrideGlobalObjects) {
  const { createAdaptorServer } = await import('@hono/node-server');
  return createAdaptorServer({ fetch, overrideGlobalObjects }).listen(path);
}

async function onNearwire(path, fetch, overrideGlobalObjects) {
  const { serve } = await import('nearwire/http');
  return serve({ fetch, path, overrideGlobalObjects });
}

const hello = () => new Response('hello');

async function app() {
  const { Hono } = await import('hono');
  return new Hono().get('/hello', (context) => context.text('hello')).fetch;
}

/** The subject that runs in Bun. */
const BUN = 'Bun.serve: new Response';

/** By name: a server, and those that it is compared with. */
const SUBJECTS = {
  [BUN]: { serve: (path) => globalThis.Bun.serve({ unix: path, fetch: hello }) },
  'node-server: new Response': { serve: (path) => onHono(path, hello, true) },
  'serve: new Response': { serve: (path) => onNearwire(path, hello, true), rivals: ['node-server: new Response', BUN] },
  'serve: FastResponse, globals untouched': {
    async serve(path) {
      const { FastResponse } = await import('nearwire/http');
      return onNearwire(path, () => new FastResponse('hello'), false);
    },
    rivals: ['node-server: new Response', BUN],
  },
  'node-server: Hono': { serve: async (path) => onHono(path, await app(), true) },
  'serve: Hono': { serve: async (path) => onNearwire(path, await app(), true), rivals: ['node-server: Hono'] },
  'node-server: globals untouched': { serve: (path) => onHono(path, hello, false) },
  'serve: globals untouched': {
    serve: (path) => onNearwire(path, hello, false),
    rivals: ['node-server: globals untouched', BUN],
  },
};

/** In a process of its own: replies to each message with the CPU time so far, in microseconds. */
async function serveAsChild(name, path) {
  await SUBJECTS[name].serve(path);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send(user + system);
  });
  process.send('up');
}

function nextMessage(child) {
  return new Promise((resolve) => child.once('message', resolve));
}

function cpuOf(child) {
  child.send('cpu');
  return nextMessage(child);
}

function request(path, count) {
  return new Promise((resolve) => {
    let left = count;
    let open = CONNECTIONS;
    for (let i = 0; i < CONNECTIONS; i++) {
      const client = net.connect(path);
      const next = () => {
        if (left-- > 0) client.write(REQUEST);
        else client.destroy();
      };
      // Each response arrives whole.
      client.on('connect', next).on('data', next);
      client.on('close', () => --open === 0 && resolve());
    }
  });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

async function measure(folder, bun) {
  const running = [];
  for (const [i, name] of Object.keys(SUBJECTS).entries()) {
    if (name === BUN && bun === undefined) continue;
    const path = join(folder, String(i));
    const execPath = name === BUN ? bun : process.execPath;
    const child = fork(fileURLToPath(import.meta.url), ['--serve', name, path], { execPath });
    await nextMessage(child);
    await request(path, WARM_UP);
    running.push({ name, path, child, costs: [] });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { path, child, costs } of round % 2 === 0 ? running : running.toReversed()) {
      const before = await cpuOf(child);
      await request(path, BATCH);
      costs.push(((await cpuOf(child)) - before) / BATCH);
    }
  }
  for (const { child } of running) child.kill();
  return running;
}

function report(running) {
  console.log(`Node ${process.versions.node}: CPU of a request in us, median of ${ROUNDS}`);
  for (const { name, costs } of running) {
    const ratios = (SUBJECTS[name].rivals ?? []).map((rival) => ratioTo(running, rival, costs)).join('');
    console.log(`${name.padEnd(40)} ${median(costs).toFixed(2).padStart(6)}${ratios}`);
  }
}

/** Of the costs in each round; with the least and the most. */
function ratioTo(running, rival, costs) {
  const base = running.find(({ name }) => name === rival);
  if (base === undefined) return '';
  const ratios = costs.map((cost, round) => cost / base.costs[round]).toSorted((a, b) => a - b);
  const [least, middle, most] = [ratios[0], median(ratios), ratios.at(-1)].map((ratio) => ratio.toFixed(2));
  return `  ${middle}x (${least}, ${most}) of ${rival.split(':', 1)[0]}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { serve: { type: 'boolean', default: false }, bun: { type: 'string' } },
});
if (values.serve) {
  await serveAsChild(...positionals);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'nearwire-fetch-'));
  try {
    report(await measure(folder, values.bun));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
