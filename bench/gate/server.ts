/**
 * The server of a case, with the build of nearwire in a folder: `node server.js FOLDER CASE SOCKET [WARM BATCH]`.
 *
 * With WARM and BATCH it marks each BATCH requests after the first WARM for callgrind (callgrind.ts).
 */
import { readFileSync } from 'node:fs';
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
import { messageEcho } from '../work/echo.js';
import { listen } from '../work/stream.js';

const [folder = '', name = '', path = '', warm = '0', batch = '0'] = process.argv.slice(2);

/** The number of writes that a response consists of. */
const SHORT_WRITES = 16;

/** Makes the calls that callgrind watches for, and keeps its own work out of the count. */
function mark(usedBefore: number): number {
  const heap = getHeapStatistics().used_heap_size - usedBefore;
  getPriority();
  tell({ batch: true, heap });
  const used = getHeapStatistics().used_heap_size;
  process.kill(process.pid, 0);
  return used;
}

/** Called for each request. */
function counter(first: number, each: number): () => void {
  if (each === 0) return () => undefined;
  let left = first;
  let used = 0;
  return () => {
    if (--left > 0) return;
    left = each;
    used = mark(used);
  };
}

const served = counter(Number(warm), Number(batch));

const hello: RequestListener = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 12 });
  response.end('hello world\n');
  served();
};

function echo(socket: Socket): void {
  socket.on('error', ignore).on('data', (chunk: Buffer) => {
    socket.write(chunk);
    served();
  });
}

function ignore(): void {
  // The client has closed.
}

/** Answers each request with writes of `size` bytes: the headers fill the first 64, followed by the body. */
function writer(size: number, writes: number): (socket: Socket) => void {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${String(size * writes - 64)}\r\nX: `.padEnd(60, 'x') + '\r\n\r\n';
  return (socket) => {
    socket.on('error', ignore).on('data', () => {
      for (let i = 0; i < writes; i++) {
        // A new one each time, as in most programs.
        const data = Buffer.allocUnsafe(size);
        if (i === 0) data.write(head, 'latin1');
        socket.write(data);
      }
      served();
    });
  };
}

/** What package.json of that build exports. Untyped: only the names are known. */
function entry(name: string): Promise<unknown> {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly default: string }>>;
  };
  const target = exports[name]?.default;
  if (target === undefined) throw new Error(`${folder} exports no ${name}`);
  return import(pathToFileURL(join(folder, target)).href);
}

/** The connection handlers of the socket cases. */
const LISTENERS: Readonly<Record<string, (socket: Socket) => void>> = {
  rtt: echo,
  pipeline(socket) {
    const echo = messageEcho(64, (data, start, stop) => socket.write(data.subarray(start, stop)));
    socket.on('error', ignore).on('data', (chunk: Buffer) => {
      echo(chunk, 0, chunk.length);
    });
  },
  'write-64': writer(64, SHORT_WRITES),
  'write-64k': writer(65_536, 1),
};

async function serverOf(): Promise<Parameters<typeof listen>[0]> {
  const options = { transport: 'native' } as const;
  const listener = LISTENERS[name];
  if (name === 'uwsgi') return ((await entry('./uwsgi')) as typeof NearwireUwsgi).createServer(options, hello);
  if (!listener) return ((await entry('./http')) as typeof NearwireHttp).createServer(options, hello);
  return ((await entry('.')) as typeof Nearwire).createServer(options, listener);
}

listen(await serverOf(), { path });
