/**
 * node:net as used by a program whose author knows the whole documentation. Options that were measured without a gain
 * are left out: a high-water mark for accepted sockets, HTTP and pipes, and corked writes of 64 KiB. `onread` is only
 * for connecting sockets; accepted ones have no such option.
 */
import { createReadStream } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';

import type { Subject } from './subject.js';
import type { Target, Words } from './words.js';

/** Corked writes of 4 KiB that leave together; more of them gain nothing. */
const GATHERED_BYTES = 64 * 1024;
const CORKED_BYTES = 16 * 1024;
/** The size that node reads. */
const LENT_BYTES = 64 * 1024;
/** The read size for a file; larger reads make the client wait. */
const READ_BYTES = 256 * 1024;

export function tunedFor({ case: name, bytes }: Words): Partial<Subject> {
  return {
    createServer: net.createServer,
    connect: connectLending,
    ...(name !== 'rtt' && bytes <= CORKED_BYTES && { write: writeCorked }),
    createHttpServer: (handler) => http.createServer(handler),
    sendFile(response, { path, size }) {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': size });
      // With an explicit end, the stream does not read once more to find it.
      createReadStream(path, { end: size - 1, highWaterMark: Math.min(size, READ_BYTES) }).pipe(response);
    },
  };
}

/** Chunks are parts of one buffer, valid during 'data'. */
function connectLending(target: Target, listener: () => void): net.Socket {
  const callback = (count: number, buffer: Uint8Array): boolean => socket.emit('data', buffer.subarray(0, count));
  const onread = { buffer: Buffer.allocUnsafe(LENT_BYTES), callback };
  const options = { ...target, onread, highWaterMark: GATHERED_BYTES };
  const socket: net.Socket = net.connect(options, listener);
  return socket;
}

/** The writes of a tick leave together. */
function writeCorked(socket: net.Socket, chunk: Buffer): boolean {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(uncork, socket);
  }
  return socket.write(chunk);
}

function uncork(socket: net.Socket): void {
  socket.uncork();
}
