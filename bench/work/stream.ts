/** The workers on streams: one implementation for node:net and for nearwire, which has its contract. */
import type { EventEmitter } from 'node:events';
import type * as net from 'node:net';

import { Control, runLoad, tell } from './control.js';
import { ClosedLoop } from './loop.js';
import { pattern, verify } from './pattern.js';
import { relayPairs, type Relay } from './relay.js';
import { keepChunks, loadRetained } from './retained.js';
import { BulkSender } from './sender.js';
import { Storm } from './storm.js';
import type { Target, Words } from './words.js';

/** What the workers use of `node:net`. */
export interface NetLike {
  createServer(options: net.ServerOpts, listener: (socket: net.Socket) => void): net.Server;
  connect(target: Target, listener: () => void): net.Socket;
  /** One of many writes. */
  write(socket: net.Socket, chunk: Buffer): boolean;
  relay: Relay;
}

export function serveStream(netLike: NetLike, words: Words, target: Target): void {
  // Both ends of TCP send at once, as the plain C program and channels do.
  listen(netLike.createServer({ noDelay: true }, listenerOf(netLike, words)), target);
}

/** Listens, tells the address, and answers the parent until it has had enough. */
export function listen(server: Pick<net.Server, 'on' | 'listen' | 'address' | 'close'>, target: Target): void {
  server.on('error', fail);
  server.listen(target, () => {
    const address = server.address();
    tell({
      ready: true,
      address: address !== null && typeof address === 'object' ? `${address.address}:${String(address.port)}` : address,
    });
  });
  new Control(() => {
    server.close();
  });
}

function listenerOf(netLike: NetLike, words: Words): (socket: net.Socket) => void {
  switch (words.case) {
    case 'pipeline':
      return (socket) => {
        socket.on('error', ignore).on('data', messageEcho(netLike, socket, words.bytes));
      };
    case 'bulk':
      return (socket) => {
        socket.on('error', ignore).on('data', ignore);
      };
    case 'relay':
      return relayPairs(netLike.relay);
    case 'retained': {
      const keep = keepChunks(words);
      return (socket) => {
        keep(socket.on('error', ignore));
      };
    }
    default:
      return (socket) => {
        socket.on('error', ignore).on('data', (chunk: Buffer) => socket.write(chunk));
      };
  }
}

/** Answers each message with a write of its own, as a program would that looks at them. */
export function messageEcho(
  { write }: Pick<NetLike, 'write'>,
  socket: net.Socket,
  bytes: number,
): (chunk: Buffer) => void {
  const partial = Buffer.allocUnsafe(bytes);
  let held = 0;
  return (chunk) => {
    let at = 0;
    if (held > 0) {
      at = Math.min(bytes - held, chunk.length);
      chunk.copy(partial, held, 0, at);
      held += at;
      if (held < bytes) return;
      // A copy: the write may have to wait, and the buffer is used again.
      write(socket, Buffer.from(partial));
      held = 0;
    }
    for (; at + bytes <= chunk.length; at += bytes) write(socket, chunk.subarray(at, at + bytes));
    held = chunk.copy(partial, 0, at);
  };
}

export async function loadStream(netLike: NetLike, words: Words, target: Target): Promise<void> {
  if (words.case === 'storm') return loadStorm(netLike, words, target);
  if (words.case === 'retained') return loadRetained(() => connected(netLike, target), words);
  const socket = await connected(netLike, target);
  socket.on('close', () => {
    fail(new Error('the server closed the connection'));
  });
  const control = new Control(() => {
    socket.removeAllListeners('close').destroy();
  });
  const message = pattern(words.bytes);
  if (words.case === 'bulk') {
    const sender = new BulkSender(words.bytes, () => netLike.write(socket, message));
    socket.on('drain', sender.drained);
    await runLoad(control, sender, words.warmup, words.seconds);
    return;
  }
  await exchangeOnce(socket, message);
  const loop = new ClosedLoop(words.bytes, words.case === 'pipeline' ? words.window : 1, (messages) => {
    for (let left = messages; left > 0; left--) netLike.write(socket, message);
  });
  socket.on('data', (chunk: Buffer) => {
    loop.came(chunk.length);
  });
  await runLoad(control, loop, words.warmup, words.seconds);
}

async function loadStorm(netLike: NetLike, words: Words, target: Target): Promise<void> {
  const message = pattern(words.bytes);
  const sockets: net.Socket[] = [];
  const storm = new Storm(words.connections, ({ answered, failed }) => {
    const socket = netLike.connect(target, () => socket.write(message));
    let received = 0;
    socket.on('error', failed).on('close', failed);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= message.length) answered();
    });
    sockets.push(socket);
  });
  const control = new Control(() => {
    for (const socket of sockets) socket.destroy();
  });
  await runLoad(control, storm, 0, 0);
}

function connected(netLike: NetLike, target: Target): Promise<net.Socket> {
  return new Promise((resolve) => {
    const socket = netLike.connect(target, () => {
      socket.setNoDelay(true);
      resolve(socket);
    });
    socket.on('error', fail);
  });
}

/** One message there and back, byte for byte the same: the measured ones are counted only. */
function exchangeOnce(socket: net.Socket, message: Buffer): Promise<void> {
  return new Promise((resolve) => {
    let received = 0;
    socket.on('data', function compare(this: EventEmitter, chunk: Buffer) {
      verify(message, received, chunk, 0, chunk.length);
      received += chunk.length;
      if (received < message.length) return;
      socket.off('data', compare);
      resolve();
    });
    socket.write(message);
  });
}

/** A server's connections end as their clients please, by a reset too. */
function ignore(): void {
  // Nothing is to be done: 'close' follows an error, and a sink wants no data.
}

export function fail(error: Error): never {
  throw error;
}
