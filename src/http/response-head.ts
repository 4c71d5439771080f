/**
 * The header block of a response on a connection that may be kept, for the cases that nearly all responses are; node's
 * own code builds the others. The bytes are those that it would build.
 */
import type { Outgoing } from '../exchange/contracts.js';
import { dateLine } from '../exchange/date.js';
import { study } from '../exchange/study.js';
import { giveNoUniqueHeaders, hasUniqueHeaders } from '../node/http-server.js';
import { outHeadersOf, type HeaderValue, type OutHeaders } from '../node/http-messages.js';
import { nodeHttp } from '../runtime/http.js';

const originals = nodeHttp.ServerResponse.prototype as unknown as Outgoing;
const originalStoreHeader = originals._storeHeader;

/** What programs may put into a header without node's validators being asked: they accept these. */
const PLAIN_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const PLAIN_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Names that have been found to be plain, with their lower case: a program uses few. */
const names = new Map<string, string>();
const MOST_NAMES = 1000;

/** undefined: node's validator would throw. */
function lowerCase(name: string): string | undefined {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (!PLAIN_NAME.test(name)) return undefined;
  const lower = name.toLowerCase();
  if (names.size < MOST_NAMES) names.set(name, lower);
  return lower;
}

/** Replaces node's own on a response. */
export function storeHeader(this: Outgoing, firstLine: string, headers: unknown): void {
  const text = isOrdinary(this) ? build(this, firstLine, headers) : undefined;
  if (text === undefined) {
    originalStoreHeader.call(this, firstLine, headers);
    return;
  }
  this._header = text;
  this._headerSent = false;
}

/** Nothing that the program has done to the response makes node's rules about framing more than a choice of three. */
function isOrdinary(response: Outgoing): boolean {
  return !(
    response._removedConnection ||
    response.chunkedEncoding ||
    response.maxRequestsOnConnectionReached ||
    response._maxRequestsPerSocket > 0
  );
}

/** What has been seen among the headers. Module variables: an object for each response would cost more than its head. */
let text = '';
let hasDate = false;
let hasLength = false;
let length = 0;

function begin(firstLine: string): void {
  text = firstLine;
  hasDate = hasLength = false;
}

/** Returns undefined, and has changed nothing, if the case is node's. */
function build(response: Outgoing, firstLine: string, headers: unknown): string | undefined {
  begin(firstLine);
  const kept = outHeadersOf(response);
  const isPlain =
    headers === null || headers === undefined
      ? true
      : headers === kept
        ? addKept(response, kept)
        : addGiven(response, headers);
  if (!isPlain) return undefined;
  // A length that has been removed may have been set again.
  if (!hasLength && (response._removedContLen || response._removedTE)) return undefined;
  if (response.sendDate && !hasDate) text += dateLine();
  text += persistence(response);
  if (hasLength) response._contentLength = length;
  else frame(response);
  return `${text}\r\n`;
}

function addKept(response: Outgoing, headers: OutHeaders): boolean {
  for (const key in headers) {
    const header = headers[key] as OutHeaders[string];
    if (!add(response, key, header[0], header[1])) return false;
  }
  return true;
}

/** Headers given to `writeHead` only: they have not been validated. */
function addGiven(response: Outgoing, headers: unknown): boolean {
  if (Array.isArray(headers)) return false;
  for (const name in headers as Record<string, HeaderValue>) {
    if (!Object.hasOwn(headers as object, name)) continue;
    const value = (headers as Record<string, HeaderValue>)[name];
    const key = lowerCase(name);
    if (key === undefined || !isPlainValue(value)) return false;
    if (!add(response, key, name, value)) return false;
  }
  return true;
}

function isPlainValue(value: HeaderValue): boolean {
  if (typeof value === 'string') return PLAIN_VALUE.test(value);
  if (typeof value === 'number') return true;
  return Array.isArray(value) && value.every((part) => typeof part === 'string' && PLAIN_VALUE.test(part));
}

/** Returns false for a header that changes how the message ends, or that node treats in a way of its own. */
function add(response: Outgoing, key: string, name: string, value: HeaderValue): boolean {
  switch (key.length) {
    case 4:
      if (key === 'date') hasDate = true;
      break;
    case 6:
      if (key === 'expect' || key === 'cookie') return false;
      break;
    case 7:
      if (key === 'trailer') return false;
      break;
    case 10:
      if (key === 'connection' || key === 'keep-alive') return false;
      break;
    case 14:
      if (key === 'content-length') {
        if (typeof value !== 'number' && typeof value !== 'string') return false;
        hasLength = true;
        length = +value;
      }
      break;
    case 17:
      if (key === 'transfer-encoding') return false;
      break;
    case 19:
      if (key === 'content-disposition') return false;
      break;
  }
  if (typeof value === 'string' || typeof value === 'number') {
    text += `${name}: ${String(value)}\r\n`;
    return true;
  }
  if (!Array.isArray(value) || hasUniqueHeaders(response)) return false;
  for (const part of value as readonly unknown[]) {
    if (typeof part !== 'string') return false;
    text += `${name}: ${part}\r\n`;
  }
  return true;
}

let keptTimeout = -1;
let keptLines = '';

/** The lines that say whether the connection is kept. */
function persistence(response: Outgoing): string {
  const isKept = response.shouldKeepAlive && (hasLength || response.useChunkedEncodingByDefault);
  if (!isKept) {
    response._last = true;
    return 'Connection: close\r\n';
  }
  return keptFor(response._defaultKeepAlive ? response._keepAliveTimeout : 0);
}

/** The lines of a connection that is kept for `timeout` milliseconds; 0: without a limit. */
export function keptFor(timeout: number): string {
  if (!timeout) return 'Connection: keep-alive\r\n';
  if (timeout !== keptTimeout) {
    keptTimeout = timeout;
    keptLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${String(Math.floor(timeout / 1000))}\r\n`;
  }
  return keptLines;
}

/** How the end of a body without a given length is seen. */
function frame(response: Outgoing): void {
  if (!response._hasBody) return;
  if (!response.useChunkedEncodingByDefault) {
    response._last = true;
  } else if (typeof response._contentLength === 'number') {
    text += `Content-Length: ${String(response._contentLength)}\r\n`;
  } else {
    text += 'Transfer-Encoding: chunked\r\n';
    response.chunkedEncoding = true;
  }
}

let comesToTheSame: boolean | undefined;

/** Whether responses that are written at once are the same, byte by byte, as those of this node: found out once. */
export function plainEndsMayBeShort(): boolean {
  return (comesToTheSame ??= study(originalStoreHeader, storeHeader, giveNoUniqueHeaders));
}
