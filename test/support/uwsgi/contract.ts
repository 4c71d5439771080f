/** The same handler behind node's own http.Server and behind ours, and what came of it. */
import { once } from 'node:events';
import * as http from 'node:http';
import type * as net from 'node:net';
import { createServer } from 'nearwire/uwsgi';
import { cleanup, readAll, socketPath } from '../sockets.js';
import { open, packet, parseAnswer, type Answer, type Variables } from './packets.js';
import { listenUwsgi } from './serve.js';

export type Reference = 'native' | 'js' | 'node:http';

/** What a handler notes, to be compared. */
export type Log = string[];

export type ContractHandler = (req: http.IncomingMessage, res: http.ServerResponse, log: Log) => unknown;

export interface ContractRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** What the client does in the place of reading the answer. */
  leave?: (socket: net.Socket) => void;
}

export interface Outcome {
  /** undefined where the connection was closed without an answer. */
  answer: Pick<Answer, 'status' | 'statusText' | 'lines'> | undefined;
  body: string;
  log: Log;
}

/** What holds for one connection only, and is no part of the contract; the date is only there or not. */
const OF_THE_CONNECTION = /^(connection|keep-alive|transfer-encoding|trailer):/i;

function httpBytes({ method = 'GET', headers = {}, body = '' }: ContractRequest): Buffer {
  const length: Variables = body === '' ? {} : { 'Content-Length': String(body.length) };
  const lines = Object.entries({ Host: 'app.example', Connection: 'close', ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.from(`${method} /path?a=1 HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

function uwsgiBytes({ method = 'GET', headers = {}, body = '' }: ContractRequest): Buffer {
  const own = Object.entries(headers).map(([name, value]) => [
    `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  const length: Variables = body === '' ? {} : { CONTENT_LENGTH: String(body.length) };
  const variables: Variables = { REQUEST_METHOD: method, ...length };
  return Buffer.concat([
    packet({ ...variables, ...(Object.fromEntries(own) as Record<string, string>) }),
    Buffer.from(body),
  ]);
}

/** Has one request handled, and waits until the connection is closed at both ends. */
export async function outcomeOf(way: Reference, handler: ContractHandler, request: ContractRequest): Promise<Outcome> {
  const log: Log = [];
  const listener = (req: http.IncomingMessage, res: http.ServerResponse): unknown => handler(req, res, log);
  const isNode = way === 'node:http';
  const server = isNode ? http.createServer(listener) : createServer({ transport: way }, listener);
  const closed = new Promise<void>((resolve) => {
    server.on('connection', (socket: net.Socket) => {
      socket.on('close', () => {
        resolve();
      });
    });
  });
  const target = isNode ? await listenHttp(server) : await listenUwsgi(server);
  const socket = await open(target, isNode ? httpBytes(request) : uwsgiBytes(request));
  socket.on('error', () => undefined);
  let bytes: Buffer = Buffer.alloc(0);
  if (request.leave === undefined) bytes = await readAll(socket);
  else request.leave(socket);
  socket.destroy();
  await closed;
  // What is told a tick or two after that.
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  return { ...parsed(bytes), log };
}

async function listenHttp(server: http.Server): Promise<{ path: string }> {
  const path = socketPath();
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(path);
  await once(server, 'listening');
  return { path };
}

function parsed(bytes: Buffer): Pick<Outcome, 'answer' | 'body'> {
  if (bytes.length === 0) return { answer: undefined, body: '' };
  const { status, statusText, lines, body } = parseAnswer(bytes);
  const kept = lines.filter((line) => !OF_THE_CONNECTION.test(line)).map((line) => line.replace(/^Date: .*/, 'Date'));
  const chunked = lines.some((line) => /^transfer-encoding: chunked$/i.test(line));
  const whole = chunked ? joined(body) : body;
  return { answer: { status, statusText, lines: kept }, body: whole.toString('latin1') };
}

/** What chunks hold, as far as they go. */
function joined(chunks: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const end = chunks.indexOf('\r\n', at);
    const size = end < 0 ? 0 : Number.parseInt(chunks.toString('latin1', at, end), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(chunks.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
