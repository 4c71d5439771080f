/**
 * Genuine `http.ServerResponse`s with a fast path: `end()` on a response of which nothing has been sent writes headers
 * and body at once. Everything else is node's own code, on top of the stand-in for its socket.
 *
 * Methods are replaced on the object itself: a framework may change its prototype (Express does).
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
  // If a program has replaced node's `end`, its replacement is to be called.
  if (short && response.end === originalEnd) response.end = end as Outgoing['end'];
  return response;
}

function isUtf8(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8';
}

/** Whether its `end()` is the fast path. */
export function endsShort(response: Outgoing): boolean {
  return response.end === end;
}

/**
 * Whether it can take the fast path: nothing of this response has been sent, and its state and arguments are ordinary.
 */
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

/** A body where none is allowed is an error, which node's code throws. */
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
    // A listener of the headers (on-headers) may have changed anything.
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

/** What was seen while the header block was built. */
class Head {
  text: string;
  date = false;
  length = false;
  /** The program asked for chunked encoding. */
  chunked = false;
  /** Its headers have not been validated yet. */
  unchecked = false;

  constructor(firstLine: string) {
    this.text = firstLine;
  }
}

const { validateHeaderName } = nodeHttp;
/** Newer nodes take a third argument: whether control characters are allowed, as set by their parser's options. */
const validateHeaderValue = nodeHttp.validateHeaderValue as (name: string, value: unknown, lenient?: boolean) => void;

const BEYOND_ASCII = /[\x80-\xff]/;

/**
 * Replaces node's own. The connection ends with this response, so neither `Connection` nor chunked encoding is
 * mentioned.
 */
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

/**
 * Headers go out in the encoding of the text after them, except in node's chunked responses, that is, those without a
 * known length.
 */
function sendHeadApart(this: Outgoing, data: unknown, encoding: unknown, ...rest: unknown[]): boolean {
  // As in node: `flushHeaders()` sends them as text.
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

/** Headers given to `writeHead` only. */
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

/** Hop-by-hop headers (RFC 9110, 7.6.1) and those of chunked encoding: the reverse proxy handles both. */
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

/** As in node: only arrays are several values. A Buffer, a Date or null is a single one, by its string form. */
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
  // As in node: RFC 6266 allows latin1 parameters, and the headers go out in the encoding of the body after them.
  const isLatin1 = key === 'content-disposition' && response._contentLength;
  const value = (isLatin1 ? Buffer.from(given as string, 'latin1') : given) as string;
  if (head.unchecked) validateHeaderValue(name, value, response._isLenientHeaderValidation?.());
  if (isDropped(key)) {
    // As in node: no length is added if the program asked for chunked encoding. The response then ends with the
    // connection.
    if (key === 'transfer-encoding') head.chunked = true;
    return;
  }
  // With `+`, because node uses it too: a template literal converts objects and symbols differently.
  head.text += name + ': ' + value + '\r\n';
  if (key === 'content-length') {
    head.length = true;
    response._contentLength = +value;
    response._removedContLen = false;
  } else if (key === 'date') {
    head.date = true;
  }
}
