/**
 * The server of a case, on the build of nearwire that lies in a folder: `node server.js FOLDER CASE SOCKET [WARM BATCH]`.
 *
 * With WARM and BATCH it marks each BATCH requests after the first WARM for callgrind (callgrind.ts).
 */
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getHeapStatistics } from 'node:v8';

import type * as Nearwire from 'nearwire';
import type * as NearwireHttp from 'nearwire/http';
import type * as NearwireUwsgi from 'nearwire/uwsgi';

import { tell } from '../work/control.js';
import { listen, messageEcho } from '../work/stream.js';

const [folder = '', name = '', path = '', warm = '0', batch = '0'] = process.argv.slice(2);

/** Requests until the next mark; never, where none are asked for. */
let left = Number(warm) || Infinity;
let used = 0;

/** Calls what callgrind has been told to watch for, and keeps out of the count what it does itself. */
function served(): void {
  if (--left > 0) return;
  left = Number(batch);
  const heap = getHeapStatistics().used_heap_size - used;
  getPriority();
  tell({ batch: true, heap });
  used = getHeapStatistics().used_heap_size;
  process.kill(process.pid, 0);
}

const hello: RequestListener = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 12 });
  response.end('hello world\n');
  served();
};

/** Answers with writes of `size` bytes: a head that fills the first 64, and then the body. */
function writer(socket: Socket, size: number, writes: number): () => void {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${String(size * writes - 64)}\r\nX: `.padEnd(60, 'x') + '\r\n\r\n';
  return () => {
    for (let i = 0; i < writes; i++) {
      // Another one each time, as what a program writes mostly is.
      const data = Buffer.allocUnsafe(size);
      if (i === 0) data.write(head, 'latin1');
      socket.write(data);
    }
  };
}

/** What answers the chunks of a connection, in the cases of sockets. */
const ANSWERERS: Readonly<Record<string, (socket: Socket) => (chunk: Buffer) => void>> = {
  rtt: (socket) => (chunk) => socket.write(chunk),
  pipeline: (socket) => messageEcho({ write: (to, chunk) => to.write(chunk) }, socket, 64),
  'write-64': (socket) => writer(socket, 64, 16),
  'write-64k': (socket) => writer(socket, 65_536, 1),
};

/** Without our own types: of another build's only the names are known. */
function entry(file: string): Promise<unknown> {
  return import(pathToFileURL(join(folder, 'dist', 'src', file)).href);
}

async function serverOf(): Promise<Parameters<typeof listen>[0]> {
  const options = { transport: 'native' } as const;
  const answererOf = ANSWERERS[name];
  if (name === 'uwsgi') return ((await entry('uwsgi.js')) as typeof NearwireUwsgi).createServer(options, hello);
  if (!answererOf) return ((await entry('http.js')) as typeof NearwireHttp).createServer(options, hello);
  return ((await entry('index.js')) as typeof Nearwire).createServer(options, (socket) => {
    const answer = answererOf(socket);
    // The client may have had enough at any time.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      answer(chunk);
      served();
    });
  });
}

listen(await serverOf(), { path });
