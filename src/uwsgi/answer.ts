/** The status and headers of a response: HTTP/1.x, or CGI, where the status is a header. */
import type { IncomingHttpHeaders } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { badAnswerError } from '../errors/index.js';

export interface AnswerHead {
  statusCode: number;
  statusMessage: string;
  /** Names and values alternately, as received. */
  rawHeaders: string[];
  headers: IncomingHttpHeaders;
}

/** How the end of a body is found. */
export type Framing = { kind: 'none' } | { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'close' };

const CR = 13;
const LF = 10;
const STATUS_LINE = /^HTTP\/1\.[0-9] ([1-9][0-9]{2})(?: (.*))?$/;
const CGI_STATUS = /^([1-9][0-9]{2})(?:\s+(.*))?$/;
/** RFC 9110, 5.1: a name is a token, directly followed by the colon. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*(.*?)[\t ]*$/;
/** CR and NUL end a header, or some program believes that they do. */
const FORBIDDEN = /[\0\r]/;

/**
 * The offset after the empty line that ends the headers, or -1. Lines may end in LF alone, as CGI programs write them.
 */
export function endOfHead(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(LF, from);
  while (at >= 0) {
    const next = bytes[at + 1];
    if (next === LF) return at + 2;
    if (next === CR && bytes[at + 2] === LF) return at + 3;
    at = bytes.indexOf(LF, at + 1);
  }
  return -1;
}

/** Parses a header block, including its empty line. Throws ERR_NEARWIRE_UWSGI_BAD_RESPONSE. */
export function parseHead(bytes: Buffer): AnswerHead {
  const lines = bytes.toString('latin1').split('\n');
  const [first = ''] = lines;
  const status = STATUS_LINE.exec(trimEnd(first));
  if (status === null && first.startsWith('HTTP/')) throw badAnswerError(`the status line ${shown(first)}`);
  const rawHeaders: string[] = [];
  for (const line of status === null ? lines : lines.slice(1)) {
    const text = trimEnd(line);
    if (text === '') break;
    const [, name, value] = HEADER.exec(text) ?? [];
    if (name === undefined || value === undefined || FORBIDDEN.test(value)) {
      throw badAnswerError(`the header ${shown(line)}`);
    }
    rawHeaders.push(name, value);
  }
  if (status !== null) {
    const [, code = '', message = ''] = status;
    return { statusCode: Number(code), statusMessage: message, rawHeaders, headers: joinHeaders(rawHeaders) };
  }
  return cgiHead(rawHeaders);
}

function trimEnd(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function shown(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 57)}...` : line);
}

/** As nginx: without a Status it is 302 if there is a Location, and otherwise 200. */
function cgiHead(all: readonly string[]): AnswerHead {
  const rawHeaders: string[] = [];
  let status: string | undefined;
  for (let i = 0; i < all.length; i += 2) {
    const [name = '', value = ''] = [all[i], all[i + 1]];
    if (name.toLowerCase() === 'status') status ??= value;
    else rawHeaders.push(name, value);
  }
  const headers = joinHeaders(rawHeaders);
  if (rawHeaders.length === 0 && status === undefined) throw badAnswerError('it has neither status nor headers');
  status ??= headers.location === undefined ? '200' : '302';
  const [, code, message] = CGI_STATUS.exec(status) ?? [];
  if (code === undefined) throw badAnswerError(`the status ${shown(status)}`);
  const statusCode = Number(code);
  return { statusCode, statusMessage: message ?? STATUS_CODES[statusCode] ?? '', rawHeaders, headers };
}

/** The headers of which `http.IncomingMessage` keeps the first value, according to its documentation. */
const FIRST_STANDS = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);

/** The same object as `message.headers` of node:http. */
function joinHeaders(rawHeaders: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i]?.toLowerCase(), rawHeaders[i + 1]];
    const before = headers[name];
    if (name === 'set-cookie') (headers[name] ??= []).push(value);
    else if (typeof before !== 'string') put(headers, name, value);
    else if (!FIRST_STANDS.has(name)) put(headers, name, `${before}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  return headers;
}

/** With defineProperty, `__proto__` is a name like any other. */
function put(headers: IncomingHttpHeaders, name: string, value: string): void {
  Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
}

/** How the body of this response ends. Throws where that is ambiguous. */
export function framingOf({ statusCode, headers, rawHeaders }: AnswerHead, method: string): Framing {
  if (method === 'HEAD' || statusCode === 204 || statusCode === 304) return { kind: 'none' };
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw badAnswerError(`the transfer coding ${shown(coding)}`);
    // RFC 9112, 6.3: a recipient to which both are forwarded may use the other one to find the body's end.
    if (headers['content-length'] !== undefined) throw badAnswerError('a length in addition to the transfer coding');
    return { kind: 'chunked' };
  }
  const lengths = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'content-length');
  const [length] = lengths;
  if (length === undefined) return { kind: 'close' };
  if (!/^[0-9]{1,15}$/.test(length) || lengths.some((other) => other !== length)) {
    throw badAnswerError(`the length ${shown(lengths.join(', '))}`);
  }
  return { kind: 'length', length: Number(length) };
}
