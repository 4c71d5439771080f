/** Servers, pairs of sockets and records of events, for tests. */
import { once, type EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server, ServerOpts, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterEach } from 'vitest';
import type { SocketOptions } from 'nearwire';
import type { Family, Subject } from './subjects.js';

const cleanups: (() => unknown)[] = [];

/** Has this run when the test is over, whatever its outcome. */
export function cleanup(action: () => unknown): void {
  cleanups.push(action);
}

afterEach(async () => {
  for (const action of cleanups.splice(0).reverse()) await action();
});

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nearwire-'));
  cleanup(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

export function socketPath(name = 'test.sock'): string {
  return join(temporaryDirectory(), name);
}

export interface Address {
  path?: string;
  host?: string;
  port?: number;
}

export function freshAddress(family: Family): Address {
  return family === 'unix' ? { path: socketPath() } : { host: '127.0.0.1', port: 0 };
}

/** Where a listening server can be reached. */
export function addressOf(server: Server): Address {
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: address.port };
}

/**
 * Closes the server, and destroys what it accepted, at the end of the test. Nothing listens to the connections of an HTTP
 * server until then: one that is listened to is served and closed otherwise.
 */
export function closeAtEnd(server: Server): void {
  if (server instanceof HttpServer) {
    cleanup(() => {
      server.close();
      server.closeAllConnections();
    });
    return;
  }
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  cleanup(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

export async function listen(server: Server, family: Family): Promise<Address> {
  closeAtEnd(server);
  server.listen(freshAddress(family));
  await once(server, 'listening');
  return addressOf(server);
}

export interface Pair {
  client: Socket;
  /** The accepted end. */
  peer: Socket;
  server: Server;
  address: Address;
}

export interface PairOptions {
  server?: ServerOpts;
  client?: SocketOptions;
}

/** Two connected sockets. */
export async function pair(subject: Subject, family: Family, options: PairOptions = {}): Promise<Pair> {
  const server = subject.createServer(options.server);
  const address = await listen(server, family);
  const accepted = once(server, 'connection');
  const client = subject.connect({ ...options.client, ...address });
  cleanup(() => {
    client.destroy();
  });
  const [[peer]] = (await Promise.all([accepted, once(client, 'connect')])) as [[Socket], unknown];
  return { client, peer, server, address };
}

/** Notes the events that come, in order, as `name` or `name:argument` for the arguments that matter. */
export function record(emitter: EventEmitter, names: readonly string[], into: string[] = [], prefix = ''): string[] {
  for (const name of names) {
    emitter.on(name, (argument: unknown) => {
      const shown = argument instanceof Error ? `:${String((argument as NodeJS.ErrnoException).code)}` : '';
      const flag = typeof argument === 'boolean' ? `:${String(argument)}` : '';
      into.push(`${prefix}${name}${shown}${flag}`);
    });
  }
  return into;
}

/** All that comes until 'end', as one Buffer. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/**
 * All that comes until 'end' or a reset, as one Buffer. A peer that closes while bytes are unread in its kernel
 * resets the connection, which the reader learns of behind the last byte.
 */
export function readUntilClosed(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') resolve(Buffer.concat(chunks));
      else reject(error);
    });
  });
}

/** Resolves when at least this many bytes have come, with what came. */
export function readBytes(socket: Socket, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length < count) return;
      socket.off('data', onData);
      socket.off('error', reject);
      resolve(Buffer.concat(chunks));
    };
    socket.on('data', onData);
    socket.on('error', reject);
  });
}

/** Bytes that differ from place to place, so that a chunk in the wrong place is seen. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Writes until the kernel and the stream are full. */
export function fill(socket: Socket, size = 65_536): number {
  let written = 0;
  const chunk = Buffer.alloc(size, 'x');
  let more = true;
  while (more) {
    more = socket.write(chunk);
    written += size;
  }
  return written;
}

/** Resolves at 'close', whether or not an error came before it. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
}

/** The number of connections that a server counts. */
export function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((_, count) => {
      resolve(count);
    });
  });
}

/** One pass of the loop: what the kernel has for us is seen. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs the loop for this long. */
export async function passTime(milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) await nextTurn();
}
