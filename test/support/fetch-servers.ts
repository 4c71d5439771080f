/** Servers of fetch handlers in each way that `serve()` has, and clients that speak bytes. */
import { once } from 'node:events';
import * as net from 'node:net';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { FastResponse, serve, type HttpServer, type ServeOptions } from 'nearwire/http';
import { transportStatus } from 'nearwire';
import { cleanup, freshAddress, type Address } from './sockets.js';
import type { Family } from './subjects.js';

export interface Way {
  name: string;
  options: Pick<ServeOptions, 'transport' | 'engine'>;
}

const hasAddon = transportStatus().addon !== undefined || Boolean(process.env['CI']);

/** The engine's own way, and those in which node's code reads the requests. */
export const ways: Way[] = [
  ...(hasAddon
    ? [
        { name: 'native', options: { transport: 'native' } } as const,
        { name: 'native, by node', options: { transport: 'native', engine: 'node' } } as const,
      ]
    : []),
  { name: 'js', options: { transport: 'js' } },
];

export const makers = [
  { kind: 'a genuine Response', Maker: globalThis.Response },
  { kind: 'a FastResponse', Maker: FastResponse },
];

export interface Served {
  server: HttpServer;
  address: Address;
}

/** No listener of 'connection' is added: that would have the engine step back. */
export async function start(
  way: Way,
  fetch: ServeOptions['fetch'],
  options: Partial<ServeOptions> = {},
  family: Family = 'unix',
): Promise<Served> {
  const where = freshAddress(family);
  const server = serve({ fetch, ...way.options, ...options, ...where });
  cleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const { port } = (server.address() ?? {}) as Partial<net.AddressInfo>;
  return { server, address: port === undefined ? where : { host: '127.0.0.1', port } };
}

export function connect(address: Address): net.Socket {
  const socket = net.connect(address as net.NetConnectOpts);
  socket.on('error', () => undefined);
  cleanup(() => {
    socket.destroy();
  });
  return socket;
}

/** All that a socket gets, as text. */
export class Inbox {
  text = '';
  private waiter: (() => void) | undefined;
  private isClosed = false;

  constructor(readonly socket: net.Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.waiter?.();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.waiter?.();
    });
  }

  /** Resolves when this has come, with all that came up to its end, which is then removed. */
  async until(part: string | RegExp): Promise<string> {
    for (;;) {
      const match = typeof part === 'string' ? { index: this.text.indexOf(part), 0: part } : part.exec(this.text);
      if (match !== null && match.index >= 0) {
        const end = match.index + match[0].length;
        const text = this.text.slice(0, end);
        this.text = this.text.slice(end);
        return text;
      }
      if (this.isClosed) throw new Error(`Closed before ${String(part)}: ${JSON.stringify(this.text.slice(-500))}`);
      await this.next();
    }
  }

  /** Resolves when the connection has closed, with all that came. */
  async untilClosed(): Promise<string> {
    while (!this.isClosed) await this.next();
    return this.text;
  }

  private next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiter = resolve;
    });
  }
}

export function inbox(address: Address): Inbox {
  return new Inbox(connect(address));
}

/** Sends this, and answers all that comes until the server closes. */
export async function exchange(address: Address, text: string): Promise<string> {
  const client = inbox(address);
  client.socket.write(text, 'latin1');
  return withoutDate(await client.untilClosed());
}

export function withoutDate(text: string): string {
  return text.replace(/Date: .*\r\n/gi, '');
}

/** The body that these chunks are. */
export function dechunked(text: string): string {
  let body = '';
  for (let at = 0; ;) {
    const line = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (Number.isNaN(size)) throw new Error(`No chunk at ${String(at)}: ${text.slice(at, at + 20)}`);
    if (size === 0) return body;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

export const HOST = 'Host: x\r\n';
export const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;
/** `body` is latin1. */
export const post = (path: string, body: string, headers = ''): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}${headers}Content-Length: ${String(body.length)}\r\n\r\n${body}`;
export const chunked = (path: string, ...pieces: string[]): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n` +
  [...pieces, ''].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
export const CLOSE = 'Connection: close\r\n';

export interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** What a handler that never answers returns. */
export const never = new Promise<never>(() => undefined);

/**
 * Has each test of a file fail that reports an error which it does not expect. Returns what takes the messages of those
 * that have been reported.
 */
export function watchReports(): () => unknown[] {
  const reported = vi.spyOn(console, 'error');
  beforeEach(() => {
    reported.mockReset().mockImplementation(() => undefined);
  });
  afterEach(() => {
    expect(reported).not.toHaveBeenCalled();
  });
  return () => {
    const errors = reported.mock.calls.map(([error]) => (error as Error).message);
    reported.mockClear();
    return errors;
  };
}
