/** What a server of requests does inside the program's call of close(). */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { createServer } from 'nearwire/uwsgi';
import { describe, expect, it } from 'vitest';
import { socketPath } from '../support/sockets.js';
import { native, subjects } from '../support/subjects.js';
import { packet } from '../support/uwsgi/packets.js';

const CROWD = 4;

/** Connects as often as that, asks each time, and says what the answers are. */
const CLIENTS = `
const { connect } = require('node:net');
const { workerData: { path, packet, count, ready }, parentPort } = require('node:worker_threads');
let asked = 0;
for (let i = 0; i < count; i++) {
  const socket = connect(path);
  let text = '';
  socket.on('data', (chunk) => (text += chunk)).on('end', () => parentPort.postMessage(text.split('\\r\\n\\r\\n')[1]));
  socket.write(packet, () => {
    if (++asked < count) return;
    Atomics.store(ready, 0, 1);
    Atomics.notify(ready, 0);
  });
}
`;

describe.runIf(subjects.includes(native))('a native server with connections that are accepted together', () => {
  it.each(['close()', 'the signal of listen()'])('%s emits nothing before it returns', async (way) => {
    const log: string[] = [];
    const abort = new AbortController();
    const known = new Set<Socket>();
    const server = createServer({ transport: 'native' }, (request: IncomingMessage, response) => {
      log.push(known.has(request.socket) ? 'request' : 'a request of an unknown connection');
      response.end('answer');
    });
    server.on('connection', (socket: Socket) => {
      known.add(socket);
      log.push('connection');
      if (known.size > 1) return;
      if (way === 'close()') server.close();
      else abort.abort();
      log.push('closed');
    });
    const path = socketPath();
    server.listen({ path, signal: abort.signal });
    await once(server, 'listening');
    const ready = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { path, packet: packet(), count: CROWD, ready };
    const clients = new Worker(CLIENTS, { eval: true, execArgv: [], workerData });
    const answers: unknown[] = [];
    clients.on('message', (answer) => answers.push(answer));
    // All of them have connected and asked before the first is accepted.
    Atomics.wait(ready, 0, 0);
    await Promise.all([once(server, 'close'), once(clients, 'exit')]);
    expect(log.slice(0, 2)).toEqual(['connection', 'closed']);
    expect(log.slice(2).sort()).toEqual([
      ...Array<string>(CROWD - 1).fill('connection'),
      ...Array<string>(CROWD).fill('request'),
    ]);
    expect(answers).toEqual(Array(CROWD).fill('answer'));
  });
});
