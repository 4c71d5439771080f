/** A client that speaks the uwsgi protocol byte by byte, as nginx does. */
import * as net from 'node:net';
import { once } from 'node:events';
import { readAll } from '../sockets.js';

export type Variables = Record<string, string>;

/** What nginx's `uwsgi_params` send for `GET /path?a=1`, empty ones among them. */
export const VARIABLES: Readonly<Variables> = {
  QUERY_STRING: 'a=1',
  REQUEST_METHOD: 'GET',
  CONTENT_TYPE: '',
  CONTENT_LENGTH: '',
  REQUEST_URI: '/path?a=1',
  PATH_INFO: '/path',
  DOCUMENT_ROOT: '/usr/share/nginx/html',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REQUEST_SCHEME: 'http',
  REMOTE_ADDR: '192.0.2.7',
  REMOTE_PORT: '40000',
  SERVER_PORT: '80',
  SERVER_NAME: 'app.example',
  HTTP_HOST: 'app.example',
};

function sized(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A packet of these bytes in the place of variables. */
export function rawPacket(variables: Uint8Array, modifier1 = 0, modifier2 = 0): Buffer {
  const header = Buffer.from([modifier1, 0, 0, modifier2]);
  header.writeUInt16LE(variables.length, 1);
  return Buffer.concat([header, variables]);
}

export function packet(variables: Variables = {}, modifier1 = 0): Buffer {
  const all = Object.entries({ ...VARIABLES, ...variables });
  return rawPacket(Buffer.concat(all.flatMap(([name, value]) => [sized(name), sized(value)])), modifier1);
}

export interface Answer {
  status: number;
  statusText: string;
  /** As they came, names in lower case; the last of several. */
  headers: Record<string, string>;
  /** Lines of the head behind the first. */
  lines: string[];
  body: Buffer;
}

export function parseAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Error(`no head in ${JSON.stringify(bytes.toString('latin1'))}`);
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, status, statusText] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(first) ?? [];
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { status: Number(status), statusText: statusText ?? '', headers, lines, body: bytes.subarray(end + 4) };
}

export interface Target {
  path?: string;
  host?: string;
  port?: number;
}

/** Connected, and with this written. */
export async function open(target: Target, bytes?: Uint8Array): Promise<net.Socket> {
  const socket = net.connect({ ...target, allowHalfOpen: true } as net.NetConnectOpts);
  await once(socket, 'connect');
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

/** All that is answered to these bytes until the server closes. */
export async function askRaw(target: Target, bytes: Uint8Array): Promise<Buffer> {
  const socket = await open(target, bytes);
  const all = await readAll(socket);
  socket.destroy();
  return all;
}

/** One request, as nginx makes it: a body has its length among the variables. */
export async function ask(target: Target, variables: Variables = {}, body?: Uint8Array | string): Promise<Answer> {
  const bytes = body === undefined ? undefined : Buffer.from(body as string);
  const own: Variables = bytes === undefined ? {} : { REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(bytes.length) };
  const parts = [packet({ ...own, ...variables }), ...(bytes === undefined ? [] : [bytes])];
  return parseAnswer(await askRaw(target, Buffer.concat(parts)));
}
