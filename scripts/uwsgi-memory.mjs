// Measures the memory per connection of nearwire/uwsgi and of node:http, before a request and while the request waits
// for its response. Each server is a process of its own. usage: uwsgi-memory.mjs [--connections N] [--rounds N]
// [--json]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { encodePacket } from '../dist/bundle/internal.js';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const [connections, rounds] = [values.connections, values.rounds].map(Number);
if ([connections, rounds].some((number) => !Number.isSafeInteger(number) || number < 1)) {
  console.error('usage: uwsgi-memory.mjs [--connections N] [--rounds N] [--json], whole numbers from 1 on');
  process.exit(2);
}
/** Descriptors of a process in addition to its connections. */
const OTHERS = 100;
const limit = process.report.getReport().userLimits?.open_files?.soft;
if (typeof limit === 'number' && connections + OTHERS > limit) {
  console.error(`${connections} connections need more than the ${limit} open files of "ulimit -n"`);
  process.exit(1);
}

/** A browser's headers. */
const HEADERS = [
  ['Host', 'app.example'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Accept-Language', 'en-GB,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark'],
];
const url = '/things/17?page=2';
const uwsgi = encodePacket({
  method: 'GET',
  url,
  contentLength: undefined,
  headers: HEADERS,
  // nginx's variables that encodePacket() cannot know.
  variables: { CONTENT_TYPE: '', CONTENT_LENGTH: '', DOCUMENT_ROOT: '/usr/share/nginx/html', ...remote() },
  modifier1: 0,
  modifier2: 0,
});
const lines = HEADERS.map(([name, value]) => `${name}: ${value}\r\n`);
const plain = Buffer.from(`GET ${url} HTTP/1.1\r\n${lines.join('')}\r\n`);

function remote() {
  return { REMOTE_ADDR: '192.0.2.7', REMOTE_PORT: '40000' };
}

const SERVERS = [
  { name: 'uwsgi-native', text: 'nearwire/uwsgi', bytes: uwsgi },
  { name: 'uwsgi-js', text: 'nearwire/uwsgi, js', bytes: uwsgi },
  { name: 'http-net', text: 'node:http over node:net', bytes: plain },
  { name: 'http-nearwire', text: 'node:http over nearwire', bytes: plain },
];
const STATES = {
  idle: 'idle',
  'under-way': 'request under way',
  'headers-read': 'its headers read',
  closed: 'after all are closed',
};

/** The number of concurrent connects: a socket's queue may be no longer. */
const ABREAST = 100;
/** Requests before counting, so that memory allocated once, or growing in steps, is already there. */
const WARM_UP = 500;

async function connectAll(path, count) {
  const sockets = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(ABREAST, count - sockets.length) }, () => net.connect(path));
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  return sockets;
}

/** Bytes added by each of these connections, in each state. */
async function measure({ name, bytes }, directory) {
  const path = join(directory, `${name}.sock`);
  const child = fork(fileURLToPath(new URL('uwsgi-memory-server.mjs', import.meta.url)), [name, path], {
    execArgv: ['--expose-gc'],
  });
  const gone = once(child, 'exit');
  const answer = () =>
    Promise.race([
      once(child, 'message').then(([message]) => message),
      gone.then(([code]) => Promise.reject(new Error(`the server ${name} has ended (${code})`))),
    ]);
  const ask = (question) => {
    child.send(question);
    return answer();
  };
  await answer();
  const close = async (sockets) => {
    for (const socket of sockets) socket.destroy();
    return ask({ connections: 0, requests: 0 });
  };
  const warm = await connectAll(path, Math.min(WARM_UP, connections));
  for (const socket of warm) socket.write(bytes);
  await ask({ connections: warm.length, requests: warm.length, readHeaders: true, answer: true });
  const before = await close(warm);
  const sockets = await connectAll(path, connections);
  const used = { idle: await ask({ connections, requests: 0 }) };
  for (const socket of sockets) socket.write(bytes);
  used['under-way'] = await ask({ connections, requests: connections });
  used['headers-read'] = await ask({ connections, requests: connections, readHeaders: true });
  used.closed = await close(sockets);
  child.disconnect();
  await gone;
  return Object.fromEntries(Object.entries(used).map(([state, now]) => [state, perConnection(now, before)]));
}

function perConnection(now, before) {
  return Object.fromEntries(Object.keys(now).map((kind) => [kind, (now[kind] - before[kind]) / connections]));
}

function middle(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return { median: Math.round((low + high) / 2), least: Math.round(sorted[0]), most: Math.round(sorted.at(-1)) };
}

/** Rounds alternate, so that changes over time affect all servers. */
async function run() {
  const directory = mkdtempSync(join(tmpdir(), 'nearwire-memory-'));
  const samples = [];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const server of SERVERS) samples.push({ server: server.name, states: await measure(server, directory) });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return SERVERS.flatMap(({ name, text }) =>
    Object.keys(STATES).map((state) => {
      const of = (kind) =>
        middle(samples.filter(({ server }) => server === name).map(({ states }) => states[state][kind]));
      return { server: name, text, state, heap: of('heap'), external: of('external'), rss: of('rss') };
    }),
  );
}

function shown({ median, least, most }) {
  return `${median} (${least} .. ${most})`;
}

const rows = await run();
if (values.json) {
  console.log(JSON.stringify({ connections, rounds, node: process.version, rows }));
} else {
  console.log(`bytes a connection of ${connections}: median of ${rounds} rounds, and the least and the most`);
  console.log(`node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model ?? ''}\n`);
  const table = [
    ['server', 'state', 'heap', 'external', 'RSS'],
    ...rows.map(({ text, state, heap, external, rss }) => [
      text,
      STATES[state],
      shown(heap),
      shown(external),
      shown(rss),
    ]),
  ];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}
