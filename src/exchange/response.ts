/**
 * Genuine `http.ServerResponse`s, whose hot way is short: `end()` on an answer of which nothing has been sent yet writes
 * head and body in one go. All else is node's own code, over the stand-in for its socket.
 *
 * What is replaced is replaced on the object: a framework may give it another prototype (Express does).
 */
import { argValueError } from '../errors/index.js';
import { nodeHttp } from '../runtime/http.js';
import { dateLine } from './date.js';
import {
  outHeadersOf,
  queueEndCallback,
  type EndCallback,
  type HeaderValue,
  type OutHeaders,
} from '../node/http-messages.js';
import type { Incoming, Outgoing, ResponseClass, ResponseOptions, SocketContract } from './contracts.js';

const originalEnd = nodeHttp.ServerResponse.prototype.end as (this: Outgoing, ...args: unknown[]) => Outgoing;

export function makeResponse(
  Class: ResponseClass,
  request: Incoming,
  options: ResponseOptions,
  short: boolean,
): Outgoing {
  const response = new Class(request, options) as unknown as Outgoing;
  response._storeHeader = storeHeader;
  // What a program has put in the place of node's own, now or long ago, is to be called.
  if (short && response.end === originalEnd) response.end = end as Outgoing['end'];
  return response;
}

function isUtf8(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8';
}

/** Whether its `end()` is the short one. */
export function endsShort(response: Outgoing): boolean {
  return response.end === end;
}

/** Whether it can go the short way: nothing has been sent of this answer, and nothing is odd about what is. */
export function isShort(response: Outgoing, socket: SocketContract | null, chunk: unknown, encoding: unknown): boolean {
  return (
    socket?.writable === true &&
    socket._httpMessage === response &&
    !response._headerSent &&
    !response.finished &&
    !response.destroyed &&
    !response.strictContentLength &&
    response.outputData.length === 0 &&
    response._send === originalSend &&
    (typeof chunk === 'string'
      ? isUtf8(encoding)
      : chunk === undefined || chunk === null || chunk instanceof Uint8Array)
  );
}

function endByNode(response: Outgoing, chunk: unknown, encoding: unknown, callback: unknown): Outgoing {
  if (!response.finished) response.socket?._connection.awaitFinish(response);
  return originalEnd.call(response, chunk, encoding, callback);
}

/** A body where none may be is an error, which node's code throws. */
function rejectsBody({ socket }: Outgoing): boolean {
  return socket?._connection.server.responseOptions.rejectNonStandardBodyWrites === true;
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
  if (!isShort(this, socket, chunk, encoding)) return endByNode(this, chunk, encoding, callback);
  const body = (chunk ?? '') as string | Uint8Array;
  if (this._header === null) {
    this._contentLength = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this._implicitHeader();
    // A listener of the head (on-headers) may have done anything.
    if (!isShort(this, socket, chunk, encoding)) return endByNode(this, chunk, encoding, callback);
  }
  if (!this._hasBody && chunk && rejectsBody(this)) return endByNode(this, chunk, encoding, callback);
  if (typeof callback === 'function') queueEndCallback(this, callback as EndCallback);
  this._headerSent = true;
  this.finished = true;
  (socket as SocketContract)._connection.writeWhole(this._header ?? '', this._hasBody ? body : '');
  this._finish();
  return this;
}

/** What has been seen while a head was put together. */
class Head {
  text: string;
  date = false;
  length = false;
  /** Chunks were asked for. */
  chunked = false;
  /** Nobody has checked its headers yet. */
  unchecked = false;

  constructor(firstLine: string) {
    this.text = firstLine;
  }
}

const { validateHeaderName } = nodeHttp;
/** Newer nodes take a third argument: whether control characters may pass, as their parser's options have it. */
const validateHeaderValue = nodeHttp.validateHeaderValue as (name: string, value: unknown, lenient?: boolean) => void;

const BEYOND_ASCII = /[\x80-\xff]/;

/** In the place of node's own: the connection ends with this answer, so neither that nor chunks are spoken of. */
function storeHeader(this: Outgoing, firstLine: string, headers: unknown): void {
  const head = new Head(firstLine);
  const kept = outHeadersOf(this);
  if (kept !== null && headers === kept) addKept(this, head, kept);
  else if (headers !== null && headers !== undefined) addGiven(this, head, headers);
  if (this.sendDate && !head.date) head.text += dateLine();
  if (!head.length && !head.chunked && this._hasBody) {
    if (!this._removedContLen && typeof this._contentLength === 'number') {
      head.text += `Content-Length: ${String(this._contentLength)}\r\n`;
      head.length = true;
    }
  }
  this._last = true;
  this._header = `${head.text}\r\n`;
  this._headerSent = false;
  if (!head.length && this._hasBody && BEYOND_ASCII.test(head.text)) this._send = sendHeadApart;
}

const originalSend = (nodeHttp.OutgoingMessage.prototype as unknown as Outgoing)._send;

/** A head goes out in the encoding of the text behind it, but for node's chunked answers: those of no known length. */
function sendHeadApart(this: Outgoing, data: unknown, encoding: unknown, ...rest: unknown[]): boolean {
  // As node: `flushHeaders()` sends it as text.
  const isFlush = data === '' && encoding === undefined;
  if (!isFlush && !this._headerSent && this._header !== null) {
    this._headerSent = true;
    this._writeRaw(this._header, 'latin1', null);
  }
  return originalSend.call(this, data, encoding, ...rest);
}

function addKept(response: Outgoing, head: Head, headers: OutHeaders): void {
  for (const key in headers) {
    const [name, value] = headers[key] as OutHeaders[string];
    addHeader(response, head, key, name, value);
  }
}

/** Those of `writeHead` alone. */
function addGiven(response: Outgoing, head: Head, headers: object): void {
  head.unchecked = true;
  for (const [name, value] of entriesOf(headers)) {
    validateHeaderName(name);
    addHeader(response, head, name.toLowerCase(), name, value);
  }
}

function entriesOf(headers: object): [string, HeaderValue][] {
  if (!Array.isArray(headers)) return Object.entries(headers) as [string, HeaderValue][];
  const list = headers as unknown[];
  if (list.length > 0 && Array.isArray(list[0])) return list as [string, HeaderValue][];
  if (list.length % 2 !== 0) throw argValueError('headers', headers);
  const entries: [string, HeaderValue][] = [];
  for (let i = 0; i < list.length; i += 2) entries.push([list[i] as string, list[i + 1]]);
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

/** As node: arrays are several values, and nothing else is. A Buffer, a Date or null is one, by its text. */
function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isJoined(response: Outgoing, key: string, values: readonly unknown[]): boolean {
  if (key === 'cookie' && values.length > 1) return true;
  return response.socket?._connection.server.uniqueHeaders.has(key) === true;
}

function addHeader(response: Outgoing, head: Head, key: string, name: string, value: HeaderValue): void {
  if (!isList(value)) addLine(response, head, key, name, value);
  else if (isJoined(response, key, value)) addLine(response, head, key, name, value.join('; '));
  else for (const part of value) addLine(response, head, key, name, part);
}

function addLine(response: Outgoing, head: Head, key: string, name: string, given: unknown): void {
  // As node: RFC 6266's parameters may be in latin1, and the head goes out in the encoding of the body behind it.
  const isLatin1 = key === 'content-disposition' && response._contentLength;
  const value = (isLatin1 ? Buffer.from(given as string, 'latin1') : given) as string;
  if (head.unchecked) validateHeaderValue(name, value, response._isLenientHeaderValidation?.());
  if (isDropped(key)) {
    // As node: who has asked for chunks gets no length added. The answer ends with the connection.
    if (key === 'transfer-encoding') head.chunked = true;
    return;
  }
  // By `+`, which makes of objects and symbols what node makes of them: a template asks them for another text.
  head.text += name + ': ' + value + '\r\n';
  if (key === 'content-length') {
    head.length = true;
    response._contentLength = +value;
    response._removedContLen = false;
  } else if (key === 'date') {
    head.date = true;
  }
}
