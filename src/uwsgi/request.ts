/**
 * A uwsgi client: sends requests to a server that speaks the protocol, as nginx's `uwsgi_pass` does.
 * ```ts
 * const { statusCode, headers, body } = await request({ path: '/run/app.sock' }, { url: '/health' });
 * ```
 */
import { lookup } from 'node:dns/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { checkConnectTarget } from '../channel/targets.js';
import { argTypeError } from '../errors/index.js';
import { checkWhole } from '../config/options.js';
import { checkSignal, throwIfAborted } from '../config/signal.js';
import { MAX_BACKLOG_TIMEOUT } from '../config/settings.js';
import {
  checkMethod,
  checkUrl,
  encodePacket,
  headerValue,
  listHeaders,
  type Header,
  type VariableValue,
} from './encode.js';
import { prepareBody, type RequestBody } from './request-body.js';
import type { UwsgiResponse, Limits, RequestTarget } from './call-types.js';
import { Call } from './request-call.js';

export type { UwsgiResponse, RequestTarget } from './call-types.js';
export type { RequestBody } from './request-body.js';
export type { VariableValue } from './encode.js';

/** Options of `request()`. */
export interface RequestOptions {
  /** Default `GET`. */
  method?: string | undefined;
  /** Path and query, as in the first line of HTTP. Default `/`. PATH_INFO is its path, decoded. */
  url?: string | undefined;
  /**
   * As for `http.request`, or names and values alternately (`rawHeaders`). Repeated headers are joined. Omitted are
   * `Proxy`, `Transfer-Encoding`, and, as in nginx, names with characters other than letters, digits and hyphens.
   */
  headers?: OutgoingHttpHeaders | readonly string[] | undefined;
  /**
   * uwsgi variables that are added to those made from the above, or replace them: `SCRIPT_NAME`, `REMOTE_ADDR`,
   * `HTTPS`. `undefined` removes one. Strings are sent as one byte per character, like headers; use a Buffer for
   * others.
   */
  variables?: Readonly<Record<string, VariableValue | undefined>> | undefined;
  /** The kind of request; 0 (WSGI) by default. uWSGI's plugins have numbers: 5 is PSGI, 7 Rack. */
  modifier1?: number | undefined;
  /** Default 0. */
  modifier2?: number | undefined;
  /**
   * A stream is sent as it arrives if the headers have its Content-Length. Otherwise it is buffered first, as uwsgi
   * needs the length: see `maxBodySize`. If the call fails, or the server finishes before it has read everything, a
   * stream is destroyed, unless it is an `http.IncomingMessage`: its client still needs a response.
   */
  body?: RequestBody | null | undefined;
  /**
   * The maximum number of bytes buffered from a request stream of unknown length; beyond it:
   * ERR_NEARWIRE_BODY_TOO_LARGE. Default 1 MiB. A response's body has no limit: it is read as fast as its reader does.
   */
  maxBodySize?: number | undefined;
  /**
   * Cancels the request with an AbortError: before the headers the promise rejects, after that the body is destroyed.
   */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the server may be silent before the headers: ERR_NEARWIRE_HEADERS_TIMEOUT. Time spent waiting for
   * the request's own body does not count. `0`: no limit. Default 60,000, as nginx's `uwsgi_read_timeout`.
   */
  headersTimeout?: number | undefined;
  /**
   * The same from one piece of the body to the next: ERR_NEARWIRE_BODY_TIMEOUT. It does not run while the body's reader
   * pauses.
   */
  bodyTimeout?: number | undefined;
  /**
   * The maximum size of the response headers in bytes: ERR_NEARWIRE_UWSGI_HEADERS_TOO_LARGE. Default 16 KiB, as
   * node:http.
   */
  maxHeaderSize?: number | undefined;
}

const DEFAULT_TIMEOUT = 60_000;
const DEFAULT_BODY_LIMIT = 1_048_576;
const DEFAULT_HEAD_LIMIT = 16_384;
const MAX_BYTES = 2 ** 31 - 1;
const MAX_MODIFIER = 255;

/**
 * Sends a request and resolves with the status and headers of its response. Each request has a connection of its own,
 * as the protocol requires.
 *
 * Rejects with node's connect errors, ERR_NEARWIRE_BACKLOG_TIMEOUT (a path), ERR_NEARWIRE_CONNECT_TIMEOUT (TCP),
 * ERR_NEARWIRE_UWSGI_VARIABLES_TOO_LARGE, ERR_NEARWIRE_UWSGI_NO_RESPONSE if the server closes without a response,
 * ERR_NEARWIRE_UWSGI_BAD_RESPONSE, the two timeouts, or an AbortError; for invalid arguments with node's errors, before
 * anything is sent.
 */
export async function request(target: RequestTarget, options: RequestOptions = {}): Promise<UwsgiResponse> {
  const there = checkTarget(target);
  const { signal, limits, method, url, headers, modifier1, modifier2, variables } = checkOptions(options);
  throwIfAborted(signal);
  const body = await prepareBody(options.body, headerValue(headers, 'content-length'), limits.body, signal);
  try {
    const contentLength = body.length;
    const packet = encodePacket({ method, url, contentLength, headers, variables, modifier1, modifier2 });
    const reachable = await withAddress(there);
    return await Call.make({ target: reachable, method, packet, body, signal, limits });
  } catch (error) {
    body.source?.giveUp(error);
    throw error;
  }
}

/** Throws for an invalid target, except for a host's name, which is resolved later. */
function checkTarget(target: unknown): RequestTarget {
  const { host } = (target ?? {}) as { host?: unknown };
  const isName = typeof host === 'string' && host !== '' && isIP(host) === 0;
  checkConnectTarget(isName ? { ...(target as object), host: undefined } : target);
  const { connectTimeout } = target as { connectTimeout?: unknown };
  checkWhole(connectTimeout, 'target.connectTimeout', 0, MAX_BACKLOG_TIMEOUT);
  return target as RequestTarget;
}

async function withAddress(target: RequestTarget): Promise<RequestTarget> {
  if (target.path !== undefined || target.host === undefined || isIP(target.host) !== 0) return target;
  const { address } = await lookup(target.host);
  return { ...target, host: address };
}

interface Checked {
  method: string;
  url: string;
  headers: Header[];
  variables: Readonly<Record<string, VariableValue | undefined>>;
  modifier1: number;
  modifier2: number;
  signal: AbortSignal | undefined;
  limits: Limits;
}

function whole(value: unknown, name: string, most: number, byDefault: number, least = 0): number {
  checkWhole(value, `options.${name}`, least, most);
  return value ?? byDefault;
}

function checkOptions(options: unknown): Checked {
  if (typeof options !== 'object' || options === null) throw argTypeError('options', 'of type object', options);
  const given = options as Record<keyof RequestOptions, unknown>;
  const { signal, variables = {} } = given;
  checkSignal(signal);
  if (typeof variables !== 'object' || variables === null) {
    throw argTypeError('options.variables', 'of type object', variables);
  }
  return {
    method: checkMethod(given.method ?? 'GET'),
    url: checkUrl(given.url ?? '/'),
    headers: listHeaders(given.headers),
    variables: variables as Checked['variables'],
    modifier1: whole(given.modifier1, 'modifier1', MAX_MODIFIER, 0),
    modifier2: whole(given.modifier2, 'modifier2', MAX_MODIFIER, 0),
    signal,
    limits: {
      body: whole(given.maxBodySize, 'maxBodySize', MAX_BYTES, DEFAULT_BODY_LIMIT),
      head: whole(given.maxHeaderSize, 'maxHeaderSize', MAX_BYTES, DEFAULT_HEAD_LIMIT, 1),
      headersTimeout: whole(given.headersTimeout, 'headersTimeout', MAX_BACKLOG_TIMEOUT, DEFAULT_TIMEOUT),
      bodyTimeout: whole(given.bodyTimeout, 'bodyTimeout', MAX_BACKLOG_TIMEOUT, DEFAULT_TIMEOUT),
    },
  };
}
