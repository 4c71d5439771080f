/** The options of a protocol's server: node:http's as far as they make sense there, and no others. */
import type * as http from 'node:http';
import { getDefaultHighWaterMark } from 'node:stream';
import { argTypeError, argValueError, outOfRangeError } from '../errors/index.js';
import { serverOptions } from '../net/factory.js';
import { checkBoolean, checkFunction, checkWhole, type TransportOptions } from '../config/options.js';

/** Options that every protocol's server takes; those of the same name are node:http's. */
export interface ExchangeServerOptions extends TransportOptions {
  /** Requests are of this class. Default: `http.IncomingMessage`. */
  IncomingMessage?: typeof http.IncomingMessage | undefined;
  /** Responses are of this class. Default: `http.ServerResponse`. */
  ServerResponse?: typeof http.ServerResponse | undefined;
  /** Milliseconds in which a request's head has to come; 0: for ever. Default: 60,000, or `requestTimeout` if that is less. */
  headersTimeout?: number | undefined;
  /** Milliseconds in which a request has to come with its body; 0: for ever. Default: 300,000. */
  requestTimeout?: number | undefined;
  /** How often, in milliseconds, both are looked at. Default: 30,000. */
  connectionsCheckingInterval?: number | undefined;
  /** Whether a write to an answer that has no body (HEAD, 204, 304) throws. Default: false, it is ignored. */
  rejectNonStandardBodyWrites?: boolean | undefined;
  /**
   * Whether `req.headers` joins by `, ` what came several times under one name, of those too of which node keeps the first
   * (`Referer`). nginx has joined all by then. Default: false.
   */
  joinDuplicateHeaders?: boolean | undefined;
  /** Headers of answers of which several values are sent as one, joined by `; `. Names in any case. Default: Cookie alone. */
  uniqueHeaders?: readonly string[] | undefined;
  /** Bytes after which `res.write()` answers false, and a request that nobody reads is held back. Default: node's for streams. */
  highWaterMark?: number | undefined;
  /** TCP: send small writes at once. Default: true. */
  noDelay?: boolean | undefined;
  /** TCP: ask for keep-alive probes. Default: false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds before the first of them. */
  keepAliveInitialDelay?: number | undefined;
}

/** What a protocol's server knows of options beside the common ones. */
export interface OwnOptions {
  /** Names of those that it has itself. */
  readonly names: readonly string[];
  /** Of node:http's that it has not: why, by their name. */
  readonly reasons: Readonly<Record<string, string>>;
}

const MAX_MILLIS = 2 ** 31 - 1;
const DEFAULT_REQUEST_TIMEOUT = 300_000;
const DEFAULT_HEADERS_TIMEOUT = 60_000;
const DEFAULT_CHECKING_INTERVAL = 30_000;

/** All of the common ones, and who checks their values: undefined where they go to somebody who does. */
const COMMON: Record<keyof ExchangeServerOptions, ((value: unknown, name: string) => void) | undefined> = {
  transport: undefined,
  sendBufferSize: undefined,
  recvBufferSize: undefined,
  allowSmallBuffers: undefined,
  noDelay: undefined,
  keepAlive: undefined,
  keepAliveInitialDelay: undefined,
  IncomingMessage: checkFunction,
  ServerResponse: checkFunction,
  headersTimeout: checkMillis,
  requestTimeout: checkMillis,
  connectionsCheckingInterval: checkMillis,
  rejectNonStandardBodyWrites: checkBoolean,
  joinDuplicateHeaders: checkBoolean,
  uniqueHeaders: checkNames,
  highWaterMark: checkBytes,
};

function checkMillis(value: unknown, name: string): void {
  checkWhole(value, name, 0, MAX_MILLIS);
}

function checkBytes(value: unknown, name: string): void {
  checkWhole(value, name, 0, Number.MAX_SAFE_INTEGER);
}

function checkNames(value: unknown, name: string): void {
  if (!Array.isArray(value)) throw argTypeError(name, 'an instance of Array', value);
  for (const entry of value as unknown[]) {
    if (typeof entry !== 'string') throw argTypeError(name, 'an array of strings', entry);
  }
}

/**
 * Throws a TypeError or RangeError for a value that makes no sense, and ERR_INVALID_ARG_VALUE for an option that this
 * server has not: to leave it aside would be to drop a limit that somebody relies on, or to hide a misspelt one.
 */
export function checkOptions(options: object, own: OwnOptions): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined || own.names.includes(name)) continue;
    if (!Object.hasOwn(COMMON, name)) {
      const reason = Object.hasOwn(own.reasons, name) ? own.reasons[name] : undefined;
      throw argValueError(`options.${name}`, value, reason ?? 'is no option of this server');
    }
    COMMON[name as keyof ExchangeServerOptions]?.(value, `options.${name}`);
  }
}

export interface Timeouts {
  headersTimeout: number;
  requestTimeout: number;
  checkingInterval: number;
}

export function timeoutsOf(options: ExchangeServerOptions): Timeouts {
  const { requestTimeout = DEFAULT_REQUEST_TIMEOUT } = options;
  const { headersTimeout = Math.min(DEFAULT_HEADERS_TIMEOUT, requestTimeout) } = options;
  if (requestTimeout > 0 && headersTimeout > requestTimeout) {
    throw outOfRangeError('headersTimeout', '<= requestTimeout', headersTimeout);
  }
  const { connectionsCheckingInterval: checkingInterval = DEFAULT_CHECKING_INTERVAL } = options;
  return { headersTimeout, requestTimeout, checkingInterval };
}

/** As all streams have it that have not been asked for another one. */
export function highWaterMarkOf({ highWaterMark }: ExchangeServerOptions): number {
  return highWaterMark ?? getDefaultHighWaterMark(false);
}

/** `(options?, listener?)`, as http.createServer takes them. */
export function serverArguments<Options extends ExchangeServerOptions>(
  options: Options | http.RequestListener | null | undefined,
  listener: http.RequestListener | undefined,
): [Options, http.RequestListener | undefined] {
  if (typeof options === 'function') return [{} as Options, options];
  if (listener !== undefined && typeof listener !== 'function') {
    throw argTypeError('listener', 'of type function', listener);
  }
  return [(serverOptions(options) ?? {}) as Options, listener];
}
