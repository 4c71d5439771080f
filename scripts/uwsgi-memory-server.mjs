// One server of uwsgi-memory.mjs, in a process of its own with --expose-gc: reports its memory on request, once it has
// the requested number of connections and requests. usage: uwsgi-memory-server.mjs SERVER SOCKET
import * as http from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { createServer as createHttpServer } from '../dist/bundle/http.js';
import { createServer as createUwsgiServer } from '../dist/bundle/uwsgi.js';

const [, , kind, path] = process.argv;
const MAKE = {
  'uwsgi-native': (options, listener) => createUwsgiServer({ ...options, transport: 'native' }, listener),
  'uwsgi-js': (options, listener) => createUwsgiServer({ ...options, transport: 'js' }, listener),
  'http-net': (options, listener) => http.createServer(options, listener),
  'http-nearwire': (options, listener) => createHttpServer({ ...options, transport: 'native' }, listener),
};

/** Requests that have not been answered yet. */
const underWay = new Map();
let changed = () => undefined;

const server = MAKE[kind]({ headersTimeout: 0, requestTimeout: 0 }, (request, response) => {
  underWay.set(request, response);
  response.on('close', () => {
    underWay.delete(request);
    changed();
  });
  changed();
});
server.keepAliveTimeout = 0;
let connections = 0;
server.on('connection', (socket) => {
  connections++;
  changed();
  socket.on('close', () => {
    connections--;
    changed();
  });
});

function reached(question) {
  if (connections === question.connections && underWay.size === question.requests) return Promise.resolve();
  return new Promise((resolve) => {
    changed = () => {
      if (connections === question.connections && underWay.size === question.requests) resolve();
    };
  });
}

/** Objects freed by one collection may release others for the next: finalizers, and native memory that they hold. */
async function collect() {
  // Counters over node:net keep closed sockets until as many new ones have come, or stats() is called.
  server.stats?.();
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await setImmediate();
  }
}

process.on('message', async (question) => {
  await reached(question);
  if (question.readHeaders) for (const request of underWay.keys()) void request.headers;
  if (question.answer) for (const response of underWay.values()) response.end('hello');
  await collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send({ heap: heapUsed, external, rss });
});
process.on('disconnect', () => server.close());
server.listen(path, 4096, () => process.send('listening'));
