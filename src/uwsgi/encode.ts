/** Encodes requests for the uwsgi protocol: a header of four bytes, followed by the variables. */
import type { OutgoingHttpHeaders } from 'node:http';
import { argTypeError, argValueError, invalidCharError, variablesTooLargeError } from '../errors/index.js';

/** Sizes have two bytes: that of all variables, and those of each name and value. */
export const VARIABLES_LIMIT = 65_535;
const HEADER_BYTES = 4;

/** Strings are sent as node sends headers: one byte per character, none beyond U+00FF. */
export type VariableValue = string | number | Uint8Array;

/** The validated parts of a packet. */
export interface PacketPlan {
  method: string;
  url: string;
  /** Undefined: the request has no body. */
  contentLength: number | undefined;
  headers: readonly Header[];
  variables: Readonly<Record<string, VariableValue | undefined>>;
  modifier1: number;
  modifier2: number;
}

export type Header = readonly [name: string, value: string];

/**
 * As nginx: only names of letters, digits and hyphens. Other names would become the same variable as an allowed one
 * (`X_User` and `X-User`), which the application trusts the reverse proxy to have set.
 */
const SENDABLE_NAME = /^[A-Za-z0-9-]+$/;
/**
 * `Proxy` would become HTTP_PROXY, which programs mistake for their own setting (CVE-2016-5385). The body's framing is
 * up to us.
 */
const NEVER_SENT = new Set(['proxy', 'transfer-encoding', 'content-length']);
/** RFC 9110, 5.6.2: the characters of a method. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What node allows in a header's value. */
const SENDABLE_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What node allows in a path. */
const SENDABLE_URL = /^[\x21-\x7e\x80-\xff]+$/;

export function checkMethod(method: unknown): string {
  if (typeof method !== 'string') throw argTypeError('options.method', 'of type string', method);
  if (!TOKEN.test(method)) throw argValueError('options.method', method, 'must be a valid HTTP method');
  return method;
}

export function checkUrl(url: unknown): string {
  if (typeof url !== 'string') throw argTypeError('options.url', 'of type string', url);
  if (url !== '*' && (!url.startsWith('/') || !SENDABLE_URL.test(url))) {
    throw argValueError('options.url', url, "must begin with '/' and have no spaces or control characters");
  }
  return url;
}

/** The headers one by one, as given: an object of strings, numbers and arrays, or names and values alternately. */
export function listHeaders(headers: unknown): Header[] {
  if (headers === undefined) return [];
  if (typeof headers !== 'object' || headers === null) throw argTypeError('options.headers', 'of type object', headers);
  const list: Header[] = [];
  const add = (name: string, value: unknown): void => {
    if (value === undefined) return;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw argTypeError(`options.headers.${name}`, 'of type string or number, or an array of them', value);
    }
    const text = String(value);
    if (!SENDABLE_VALUE.test(text)) throw invalidCharError(name);
    list.push([name, text]);
  };
  if (Array.isArray(headers)) {
    if (headers.length % 2 !== 0) {
      throw argValueError('options.headers', headers, 'must alternate names and values');
    }
    for (let i = 0; i < headers.length; i += 2) add(String(headers[i]), headers[i + 1]);
    return list;
  }
  for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
    if (Array.isArray(value)) for (const one of value) add(name, one);
    else add(name, value);
  }
  return list;
}

/** A header's value, joined if there are several; undefined if it was not given. */
export function headerValue(headers: readonly Header[], name: string): string | undefined {
  const values = headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

/** The packet of a request. Throws ERR_NEARWIRE_UWSGI_VARIABLES_TOO_LARGE. */
export function encodePacket(plan: PacketPlan): Buffer {
  const variables = standardVariables(plan);
  for (const [name, value] of httpVariables(plan.headers)) variables.set(name, value);
  for (const [name, value] of Object.entries(plan.variables)) {
    if (name === '') throw argValueError('options.variables', plan.variables, 'must not have an empty name');
    if (value === undefined) variables.delete(name);
    else variables.set(checkBytes(name, name), bytesOf(name, value));
  }
  return packet(variables, plan.modifier1, plan.modifier2);
}

type Variables = Map<string, string | Uint8Array>;

function bytesOf(name: string, value: unknown): string | Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw argTypeError(`options.variables.${name}`, 'of type string or number or an instance of Uint8Array', value);
  }
  return checkBytes(name, String(value));
}

function checkBytes(name: string, text: string): string {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) throw invalidCharError(name);
  return text;
}

/** The variables of nginx's uwsgi_params that are known here. */
function standardVariables({ method, url, contentLength, headers }: PacketPlan): Variables {
  const question = url.indexOf('?');
  const path = question < 0 ? url : url.slice(0, question);
  const host = headerValue(headers, 'host') ?? 'localhost';
  const [, name = host, port = '80'] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const variables: Variables = new Map<string, string | Uint8Array>([
    ['QUERY_STRING', question < 0 ? '' : url.slice(question + 1)],
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', url],
    ['PATH_INFO', decodePath(path)],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REQUEST_SCHEME', 'http'],
    ['SERVER_NAME', name],
    ['SERVER_PORT', port],
    ['HTTP_HOST', host],
  ]);
  const type = headerValue(headers, 'content-type');
  if (type !== undefined) variables.set('CONTENT_TYPE', type);
  if (contentLength !== undefined) variables.set('CONTENT_LENGTH', String(contentLength));
  return variables;
}

function* httpVariables(headers: readonly Header[]): Generator<[string, string]> {
  const joined = new Map<string, string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!SENDABLE_NAME.test(name) || NEVER_SENT.has(lower) || lower === 'content-type') continue;
    const before = joined.get(lower);
    const separator = lower === 'cookie' ? '; ' : ', ';
    joined.set(lower, before === undefined ? value : before + separator + value);
  }
  for (const [name, value] of joined) yield [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value];
}

/** Decodes the escapes of a path. Invalid ones (`%zz`) stay unchanged. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function packet(variables: Variables, modifier1: number, modifier2: number): Buffer {
  let size = 0;
  for (const [name, value] of variables) {
    const longest = Math.max(name.length, value.length);
    if (longest > VARIABLES_LIMIT) throw variablesTooLargeError(longest, VARIABLES_LIMIT, name.slice(0, 64));
    size += 4 + name.length + value.length;
  }
  if (size > VARIABLES_LIMIT) throw variablesTooLargeError(size, VARIABLES_LIMIT);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + size);
  bytes[0] = modifier1;
  bytes.writeUInt16LE(size, 1);
  bytes[3] = modifier2;
  let at = HEADER_BYTES;
  const put = (part: string | Uint8Array): void => {
    at = bytes.writeUInt16LE(part.length, at);
    if (typeof part === 'string') bytes.write(part, at, 'latin1');
    else bytes.set(part, at);
    at += part.length;
  };
  for (const [name, value] of variables) {
    put(name);
    put(value);
  }
  return bytes;
}
