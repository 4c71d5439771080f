/** The options of a protocol's server: those of node:http that apply to it. */
import type * as http from 'node:http';
import { argTypeError, argValueError } from '../errors/index.js';
import { serverOptions } from '../net/factory.js';
import { checkBoolean, checkFunction, checkWhole, type TransportOptions } from '../config/options.js';

/** Options of every protocol's server; those of the same name are node:http's. */
export interface ExchangeServerOptions extends TransportOptions {
  /** The class of requests. Default: `http.IncomingMessage`. */
  IncomingMessage?: typeof http.IncomingMessage | undefined;
  /** The class of responses. Default: `http.ServerResponse`. */
  ServerResponse?: typeof http.ServerResponse | undefined;
  /**
   * Milliseconds within which a request's headers must arrive; 0: no limit. Default: 60,000, or `requestTimeout` if
   * that is less.
   */
  headersTimeout?: number | undefined;
  /** Milliseconds within which a request must arrive with its body; 0: no limit. Default: 300,000. */
  requestTimeout?: number | undefined;
  /** How often both limits are checked, in milliseconds. Default: 30,000. */
  connectionsCheckingInterval?: number | undefined;
  /** Whether writing a body to a response without one (HEAD, 204, 304) throws. Default: false, the write is ignored. */
  rejectNonStandardBodyWrites?: boolean | undefined;
  /**
   * Whether `req.headers` joins repeated headers with `, `, including those of which node keeps only the first
   * (`Referer`). nginx has already joined them all. Default: false.
   */
  joinDuplicateHeaders?: boolean | undefined;
  /** Response headers whose values are sent as one, joined with `; `. Names in any case. Default: Cookie only. */
  uniqueHeaders?: readonly string[] | undefined;
  /** Bytes after which `res.write()` returns false, and an unread request is paused. Default: node's for streams. */
  highWaterMark?: number | undefined;
  /** TCP: send small writes at once. Default: true. */
  noDelay?: boolean | undefined;
  /** TCP: enable keep-alive probes. Default: false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds before the first probe. */
  keepAliveInitialDelay?: number | undefined;
}

/** What a protocol's server knows about options in addition to the common ones. */
export interface OwnOptions {
  /** The names of its own options. */
  readonly names: readonly string[];
  /** Reasons for the options of node:http that it does not have, by name. */
  readonly reasons: Readonly<Record<string, string>>;
}

const MAX_MILLIS = 2 ** 31 - 1;

/** The common options and the checks of their values; undefined where a later call checks the value. */
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
 * Throws a TypeError or RangeError for an invalid value, and ERR_INVALID_ARG_VALUE for an option that this server does
 * not have. Ignoring the option would drop a limit that the program relies on, or hide a misspelled one.
 */
export function checkOptions(options: object, own: OwnOptions): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined || own.names.includes(name)) continue;
    if (!Object.hasOwn(COMMON, name)) {
      const reason = Object.hasOwn(own.reasons, name) ? own.reasons[name] : undefined;
      throw argValueError(`options.${name}`, value, reason ?? 'is not an option of this server');
    }
    COMMON[name as keyof ExchangeServerOptions]?.(value, `options.${name}`);
  }
}

/** `(options?, listener?)`, as in http.createServer. */
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
