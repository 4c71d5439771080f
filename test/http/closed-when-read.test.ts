/** A client that has all of a response closes the server's connections at once: the response has been sent. */
import { once } from 'node:events';
import type * as net from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { cleanup, listen } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

/** More than the kernel holds, so that the end is sent when the client has read most of it. */
const SIZE = 3_000_000;
/** In which order the two ends of a connection are ready is by chance. */
const TIMES = 20;

test.each(everyWay)('what the kernel has is told of as sent: $name over $family', async ({ subject, family }) => {
  const told: unknown[] = [];
  const server = subject.http.createServer({}, (_, response) => {
    response.on('finish', () => told.push('finish'));
    response.writeHead(200, { 'Content-Length': SIZE });
    response.end(Buffer.alloc(SIZE), ((error?: Error | null) => told.push(error ?? 'sent')) as () => void);
  });
  const address = await listen(server, family);
  for (let i = 0; i < TIMES; i++) {
    const client = subject.connect(address);
    let left = SIZE;
    client.on('data', (chunk: Buffer) => {
      const isFirst = left === SIZE;
      left -= chunk.length - (isFirst ? chunk.indexOf('\r\n\r\n') + 4 : 0);
      if (left === 0) server.closeAllConnections();
    });
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await closed;
    expect(told.splice(0).sort(), `number ${String(i)}`).toEqual(['finish', 'sent']);
  }
});

/** A client in a thread of its own: it asks for `/long`, and reads nothing until it has asked for `/close` by another connection. */
const CLIENT = `
  const net = require('node:net');
  const { once } = require('node:events');
  const { parentPort, workerData: { address, word } } = require('node:worker_threads');
  const get = (path) => 'GET ' + path + ' HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n';
  void (async () => {
    const [long, short] = [net.connect(address).pause(), net.connect(address)];
    await Promise.all([once(long, 'connect'), once(short, 'connect')]);
    short.write(get('/first'));
    await once(short, 'data');
    long.write(get('/long'));
    const [held] = await once(parentPort, 'message');
    short.write(get('/close'));
    let read = 0;
    long.on('data', (chunk) => {
      read += chunk.length;
      if (read < held || word[0] === 1) return;
      Atomics.store(word, 0, 1);
      Atomics.notify(word, 0);
    });
    long.on('close', () => parentPort.postMessage(read)).resume();
  })();
`;

/** So many bytes at most are left when the kernel takes no more, fewer than it takes at once when it has room again. */
const PIECE = Buffer.alloc(16 * 1024);

/**
 * One iteration of the event loop has both: a request whose handler closes another connection, and room for the rest of
 * what that one sends. The addon has sent it before JavaScript hears of either. (In node the handler runs first, and the
 * rest is never sent.)
 */
test.each(everyWay.filter(({ name }) => name === 'native'))(
  'what the addon has sent in the same iteration is told of as sent: $family',
  async ({ subject, family }) => {
    const told: unknown[] = [];
    const word = new Int32Array(new SharedArrayBuffer(4));
    let long: net.Socket | undefined;
    let written = 0;
    const server = subject.http.createServer({}, ({ url, socket }, response) => {
      if (url === '/first') response.end();
      if (url === '/close') long?.destroy();
      if (url !== '/long') return;
      long = socket;
      response.on('finish', () => told.push('finish'));
      const write = (): void => {
        if (socket.writableLength === 0) {
          // Not of the response, which is then sent as one piece.
          socket.write(PIECE);
          setImmediate(write);
          return;
        }
        // It waits for room.
        response.end('text', ((error?: Error | null) => told.push(error ?? 'sent')) as () => void);
        // The addon has the rest by then.
        setImmediate(() => {
          written = socket.bytesWritten;
          client.postMessage(written - socket.writableLength);
          // Both are ready by the time that this thread looks for what is.
          Atomics.wait(word, 0, 0);
        });
      };
      write();
    });
    const address = await listen(server, family);
    const client = new Worker(CLIENT, { eval: true, execArgv: [], workerData: { address, word } });
    cleanup(() => client.terminate());
    const [read] = (await once(client, 'message')) as [number];
    expect({ told: told.sort(), read }).toEqual({ told: ['finish', 'sent'], read: written });
  },
);
