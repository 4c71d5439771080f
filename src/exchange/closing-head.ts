/** The header block of a response that ends its connection, behind a reverse proxy that frames it anew. */
import { argValueError } from '../errors/index.js';
import { outHeadersOf, type HeaderValue, type OutHeaders } from '../node/http-messages.js';
import { nodeHttp } from '../runtime/http.js';
import type { OneRequestServer, Outgoing } from './contracts.js';
import { dateLine } from './date.js';
import { HeaderName, headerName, isBeyondAscii, lengthLineOf } from './header-lines.js';
import { addToHead, beginHead, endHead } from './repeated-heads.js';
import { originalSend } from './response.js';

/** What was seen while the header block was built. */
class Head {
  /** Joined at the end: what is given as a value may run code of the program's, which answers other requests. */
  readonly lines: string[];
  date = false;
  length = false;
  /** The program asked for chunked encoding. */
  chunked = false;
  /** Its headers have not been validated yet. */
  unchecked = false;

  constructor(firstLine: string) {
    this.lines = [firstLine];
  }
}

const { validateHeaderName } = nodeHttp;
/** Newer nodes take a third argument: whether control characters are allowed, as set by their parser's options. */
const validateHeaderValue = nodeHttp.validateHeaderValue as (name: string, value: unknown, lenient?: boolean) => void;

/**
 * Replaces node's own. The connection ends with this response, so neither `Connection` nor chunked encoding is
 * mentioned.
 */
export function storeClosingHeader(this: Outgoing, firstLine: string, headers: unknown): void {
  const head = new Head(firstLine);
  const kept = outHeadersOf(this);
  if (kept !== null && headers === kept) addKept(this, head, kept);
  else if (headers !== null && headers !== undefined) addGiven(this, head, headers);
  if (this.sendDate && !head.date) head.lines.push(dateLine());
  if (!head.length && !head.chunked && this._hasBody) {
    if (!this._removedContLen && typeof this._contentLength === 'number') {
      head.lines.push(lengthLineOf(this._contentLength));
      head.length = true;
    }
  }
  this._last = true;
  const text = joined(head);
  this._header = text;
  this._headerSent = false;
  if (!head.length && this._hasBody && isBeyondAscii(text)) this._send = sendHeadApart;
}

function joined({ lines }: Head): string {
  beginHead(lines[0] as string);
  for (let i = 1; i < lines.length; i++) addToHead(lines[i] as string);
  addToHead('\r\n');
  return endHead();
}

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
    addHeader(response, head, headerName(name) ?? new HeaderName(name), value);
  }
}

/** Headers given to `writeHead` only. */
function addGiven(response: Outgoing, head: Head, headers: object): void {
  head.unchecked = true;
  for (const [name, value] of entriesOf(headers)) {
    addHeader(response, head, headerName(name) ?? unusualName(name), value);
  }
}

/** Node's validator throws, or accepts more than we know. */
function unusualName(name: string): HeaderName {
  validateHeaderName(name);
  return new HeaderName(name);
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
  const server = response.socket?._owner?.server as OneRequestServer | undefined;
  return server?.uniqueHeaders.has(key) === true;
}

function addHeader(response: Outgoing, head: Head, name: HeaderName, value: HeaderValue): void {
  if (!isList(value)) addLine(response, head, name, value);
  else if (isJoined(response, name.lower, value)) addLine(response, head, name, value.join('; '));
  else for (const part of value) addLine(response, head, name, part);
}

function addLine(response: Outgoing, head: Head, name: HeaderName, given: unknown): void {
  const key = name.lower;
  // As in node: RFC 6266 allows latin1 parameters, and the headers go out in the encoding of the body after them.
  const isLatin1 = key === 'content-disposition' && response._contentLength;
  const value = (isLatin1 ? Buffer.from(given as string, 'latin1') : given) as string;
  const isPrimitive = typeof value === 'string' || typeof value === 'number';
  const line = isPrimitive ? name.line(value, !head.unchecked) : undefined;
  if (line === undefined && head.unchecked) {
    validateHeaderValue(name.name, value, response._isLenientHeaderValidation?.());
  }
  if (isDropped(key)) {
    // As in node: no length is added if the program asked for chunked encoding. The response then ends with the
    // connection.
    if (key === 'transfer-encoding') head.chunked = true;
    return;
  }
  // With `+`, because node uses it too: a template literal converts objects and symbols differently.
  head.lines.push(line ?? name.name + ': ' + value + '\r\n');
  if (key === 'content-length') {
    head.length = true;
    response._contentLength = +value;
    response._removedContLen = false;
  } else if (key === 'date') {
    head.date = true;
  }
}
