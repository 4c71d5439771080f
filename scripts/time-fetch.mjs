// Measures what a request costs a server of fetch handlers: CPU time of the process, over kept connections on a UNIX
// socket, on @hono/node-server over node:http and on serve() of nearwire/http, in turns. usage: node scripts/time-fetch.mjs
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** By name: a server, and the one that it is compared with. */
const SUBJECTS = {
  'node-server: new Response': { serve: (path) => onHono(path, hello, true) },
  'serve: new Response': { serve: (path) => onNearwire(path, hello, true), rival: 'node-server: new Response' },
  'serve: FastResponse, globals untouched': {
    async serve(path) {
      const { FastResponse } = await import('nearwire/http');
      return onNearwire(path, () => new FastResponse('hello'), false);
    },
    rival: 'node-server: new Response',
  },
  'node-server: Hono': { serve: async (path) => onHono(path, await app(), true) },
  'serve: Hono': { serve: async (path) => onNearwire(path, await app(), true), rival: 'node-server: Hono' },
  'node-server: globals untouched': { serve: (path) => onHono(path, hello, false) },
  'serve: globals untouched': {
    serve: (path) => onNearwire(path, hello, false),
    rival: 'node-server: globals untouched',
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

async function measure(folder) {
  const running = [];
  for (const [i, name] of Object.keys(SUBJECTS).entries()) {
    const path = join(folder, String(i));
    const child = fork(fileURLToPath(import.meta.url), [name, path]);
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
    const { rival } = SUBJECTS[name];
    const base = running.find((other) => other.name === rival);
    const ratios = base && costs.map((cost, round) => cost / base.costs[round]).toSorted((a, b) => a - b);
    const ratio = ratios
      ? `  ${median(ratios).toFixed(2)}x (${ratios[0].toFixed(2)}, ${ratios.at(-1).toFixed(2)})`
      : '';
    console.log(`${name.padEnd(40)} ${median(costs).toFixed(2).padStart(6)}${ratio}`);
  }
}

const [name, path] = process.argv.slice(2);
if (name !== undefined) {
  await serveAsChild(name, path);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'nearwire-fetch-'));
  try {
    report(await measure(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
