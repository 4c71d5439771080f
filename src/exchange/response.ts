/**
 * Genuine `http.ServerResponse`s, whose hot way is short: `end()` on an answer of which nothing has been sent yet writes
 * head and body in one go. All else is node's own code, over the stand-in for its socket.
 *
 * What is replaced is replaced on the object: a framework may give it another prototype (Express does).
 */
import type * as http from 'node:http';
import { argValueError } from '../errors.js';
import { nodeHttp } from '../node-modules.js';
import { dateLine } from './date.js';
import { outHeadersOf, type HeaderValue, type Incoming, type Outgoing, type OutHeaders } from './internals.js';
import type { ExchangeSocket } from './socket.js';

export type ResponseClass = new (request: Incoming, options: ResponseOptions) => http.ServerResponse;

export interface ResponseOptions {
  highWaterMark: number;
  rejectNonStandardBodyWrites: boolean;
}

const nodesEnd = nodeHttp.ServerResponse.prototype.end as (this: Outgoing, ...args: unknown[]) => Outgoing;

/** Whether `end` is node's own: what a program has put in its place is to be called. */
export function hasNodesEnd(Class: ResponseClass): boolean {
  return (Class.prototype as { end: unknown }).end === nodesEnd;
}

export function makeResponse(
  Class: ResponseClass,
  request: Incoming,
  options: ResponseOptions,
  short: boolean,
): Outgoing {
  const response = new Class(request, options) as unknown as Outgoing;
  response._storeHeader = storeHeader;
  if (short) response.end = end as Outgoing['end'];
  return response;
}

type Callback = () => void;

function isUtf8(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8';
}

/** Whether it can go the short way: nothing has been sent of this answer, and nothing is odd about what is. */
function isShort(response: Outgoing, socket: ExchangeSocket | null, chunk: unknown, encoding: unknown): boolean {
  return (
    socket?.writable === true &&
    socket._httpMessage === response &&
    !response._headerSent &&
    !response.finished &&
    !response.destroyed &&
    !response.strictContentLength &&
    response.outputData.length === 0 &&
    (typeof chunk === 'string'
      ? isUtf8(encoding)
      : chunk === undefined || chunk === null || chunk instanceof Uint8Array)
  );
}

function end(this: Outgoing, chunk?: unknown, encoding?: unknown, callback?: unknown): Outgoing {
  const { socket } = this;
  if (typeof chunk === 'function') {
    callback = chunk;
    chunk = encoding = undefined;
  } else if (typeof encoding === 'function') {
    callback = encoding;
    encoding = undefined;
  }
  if (!isShort(this, socket, chunk, encoding)) {
    if (!this.finished) socket?._connection.awaitFinish(this);
    return nodesEnd.call(this, chunk, encoding, callback);
  }
  const body = (chunk ?? '') as string | Uint8Array;
  if (this._header === null) {
    this._contentLength = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this._implicitHeader();
    // A listener of the head (on-headers) may have done anything.
    if (!isShort(this, socket, chunk, encoding)) return nodesEnd.call(this, chunk, encoding, callback);
  }
  if (typeof callback === 'function') this.once('finish', callback as Callback);
  this._headerSent = true;
  this.finished = true;
  (socket as ExchangeSocket)._connection.writeWhole(this._header ?? '', this._hasBody ? body : '');
  this._finish();
  return this;
}

/** What has been seen while a head was put together. */
class Head {
  text: string;
  date = false;
  length = false;

  constructor(firstLine: string) {
    this.text = firstLine;
  }
}

const { validateHeaderName, validateHeaderValue } = nodeHttp;

/** In the place of node's own: the connection ends with this answer, so neither that nor chunks are spoken of. */
function storeHeader(this: Outgoing, firstLine: string, headers: unknown): void {
  const head = new Head(firstLine);
  const kept = outHeadersOf(this);
  if (kept !== null && headers === kept) addKept(this, head, kept);
  else if (headers !== null && headers !== undefined) addGiven(this, head, headers);
  if (this.sendDate && !head.date) head.text += dateLine();
  if (!head.length && this._hasBody) {
    if (!this._removedContLen && typeof this._contentLength === 'number') {
      head.text += `Content-Length: ${String(this._contentLength)}\r\n`;
    }
  }
  this._last = true;
  this._header = `${head.text}\r\n`;
  this._headerSent = false;
}

function addKept(response: Outgoing, head: Head, headers: OutHeaders): void {
  for (const key in headers) {
    const [name, value] = headers[key] as OutHeaders[string];
    addHeader(response, head, key, name, value);
  }
}

/** Those of `writeHead` alone, which nobody has checked yet. */
function addGiven(response: Outgoing, head: Head, headers: object): void {
  const entries = entriesOf(headers);
  for (const [name, value] of entries) {
    validateHeaderName(name);
    if (Array.isArray(value)) for (const part of value as string[]) validateHeaderValue(name, part);
    else validateHeaderValue(name, value as string);
    addHeader(response, head, name.toLowerCase(), name, value);
  }
}

function entriesOf(headers: object): [string, HeaderValue][] {
  if (!Array.isArray(headers)) return Object.entries(headers) as [string, HeaderValue][];
  const list = headers as unknown[];
  if (list.length > 0 && Array.isArray(list[0])) return list as [string, HeaderValue][];
  if (list.length % 2 !== 0) throw argValueError('headers', headers);
  const entries: [string, HeaderValue][] = [];
  for (let i = 0; i < list.length; i += 2) entries.push([list[i] as string, list[i + 1] as HeaderValue]);
  return entries;
}

/** What holds for one connection only (RFC 9110, 7.6.1), and what belongs to chunks: the front server sees to both. */
function isDropped(key: string): boolean {
  switch (key.length) {
    case 7:
      return key === 'trailer';
    case 10:
      return key === 'connection' || key === 'keep-alive';
    case 17:
      return key === 'transfer-encoding';
    default:
      return false;
  }
}

function addHeader(response: Outgoing, head: Head, key: string, name: string, value: HeaderValue): void {
  if (isDropped(key)) return;
  if (typeof value === 'object') {
    if (value.length < 2 || response.socket?._connection.server.uniqueHeaders.has(key) !== true) {
      for (const part of value) head.text += `${name}: ${encoded(response, key, part)}\r\n`;
      if (value.length > 0) note(response, head, key, value[0] as string);
      return;
    }
    value = value.join('; ');
  }
  head.text += `${name}: ${encoded(response, key, value)}\r\n`;
  note(response, head, key, value);
}

/** As node: RFC 6266's parameters may be in latin1, and the head goes out in the encoding of the body behind it. */
function encoded(response: Outgoing, key: string, value: HeaderValue): string {
  if (key !== 'content-disposition' || !response._contentLength) return String(value);
  return Buffer.from(String(value), 'latin1').toString();
}

function note(response: Outgoing, head: Head, key: string, value: HeaderValue): void {
  if (key === 'content-length') {
    head.length = true;
    response._contentLength = Number(value);
    response._removedContLen = false;
  } else if (key === 'date') {
    head.date = true;
  }
}
