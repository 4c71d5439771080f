/**
 * The header block of a response on a connection that may be kept, for the cases that nearly all responses are; node's
 * own code builds the others. The bytes are those that it would build.
 */
import type { Outgoing } from '../exchange/contracts.js';
import { dateLine } from '../exchange/date.js';
import { responseMethods } from '../exchange/genuine-messages.js';
import { headerName, LastText, lengthLineOf, type HeaderName } from '../exchange/header-lines.js';
import { addToHead, beginHead, endHead, isBegun } from '../exchange/repeated-heads.js';
import { study } from '../exchange/study.js';
import { giveNoUniqueHeaders, hasUniqueHeaders } from '../node/http-server.js';
import { outHeadersOf, type HeaderValue, type OutHeaders } from '../node/http-messages.js';

const originalStoreHeader = responseMethods._storeHeader;

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
let hasDate = false;
let hasLength = false;
let length = 0;

function begin(firstLine: string): number {
  hasDate = hasLength = false;
  return beginHead(firstLine);
}

/** Returns undefined, and has changed nothing, if the case is node's. */
function build(response: Outgoing, firstLine: string, headers: unknown): string | undefined {
  const head = begin(firstLine);
  const stored = outHeadersOf(response);
  const isPlain =
    headers === null || headers === undefined
      ? true
      : headers === stored
        ? addKept(response, stored)
        : addGiven(response, headers);
  // The headers' getters may have run the program.
  if (!isPlain || !isBegun(head)) return undefined;
  // A length that has been removed may have been set again.
  if (!hasLength && (response._removedContLen || response._removedTE)) return undefined;
  const date = response.sendDate && !hasDate ? dateLine() : '';
  const kept = persistence(response);
  if (!hasLength) {
    addToHead(commonLines.find(date, kept));
    addToHead(frame(response));
    addToHead(CRLF);
    return endHead();
  }
  response._contentLength = length;
  addToHead(lastLines.find(date, kept));
  return endHead();
}

function addKept(response: Outgoing, headers: OutHeaders): boolean {
  for (const key in headers) {
    const header = headers[key] as OutHeaders[string];
    const name = headerName(header[0]);
    if (name === undefined || !add(response, key, name, header[1], true)) return false;
  }
  return true;
}

/** Headers given to `writeHead` only: they have not been validated. */
function addGiven(response: Outgoing, headers: unknown): boolean {
  if (Array.isArray(headers)) return false;
  for (const name in headers as Record<string, HeaderValue>) {
    if (!Object.hasOwn(headers as object, name)) continue;
    const known = headerName(name);
    const value = (headers as Record<string, HeaderValue>)[name];
    if (known === undefined || !add(response, known.lower, known, value, false)) return false;
  }
  return true;
}

/** Returns false for a header that changes how the message ends, or that node treats in a way of its own. */
function add(response: Outgoing, key: string, name: HeaderName, value: HeaderValue, isValidated: boolean): boolean {
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
  if (typeof value === 'string' || typeof value === 'number') return addLine(name, value, isValidated);
  if (!Array.isArray(value) || hasUniqueHeaders(response)) return false;
  for (const part of value as readonly unknown[]) {
    if (typeof part !== 'string' || !addLine(name, part, isValidated)) return false;
  }
  return true;
}

function addLine(name: HeaderName, value: string | number, isValidated: boolean): boolean {
  const line = name.line(value, isValidated);
  if (line === undefined) return false;
  addToHead(line);
  return true;
}

const CRLF = '\r\n';

/** What most responses within a second have in common: the same date and the same connection. */
class CommonLines {
  private date = '';
  private readonly before = new LastText<string>();

  constructor(private readonly end: string) {}

  /** The two lines, and what ends them. */
  find(date: string, kept: string): string {
    if (date !== this.date) this.before.forget();
    this.date = date;
    return this.before.find(kept) ?? this.before.see(kept, date + kept + this.end);
  }
}

const commonLines = new CommonLines('');
const lastLines = new CommonLines(CRLF);

/** The last lines of a header block, and its end. `date`: its line, if it is to have one. */
export function lastLinesOf(date: string, kept: string): string {
  return lastLines.find(date, kept);
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
function frame(response: Outgoing): string {
  if (!response._hasBody) return '';
  const { _contentLength: size } = response;
  if (!response.useChunkedEncodingByDefault) {
    response._last = true;
    return '';
  }
  if (typeof size === 'number') return lengthLineOf(size);
  response.chunkedEncoding = true;
  return 'Transfer-Encoding: chunked\r\n';
}

let comesToTheSame: boolean | undefined;

/** Whether responses that are written at once are the same, byte by byte, as those of this node: found out once. */
export function plainEndsMayBeShort(): boolean {
  return (comesToTheSame ??= study(originalStoreHeader, storeHeader, giveNoUniqueHeaders));
}
