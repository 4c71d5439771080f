/**
 * Private fields of node's IncomingMessage and ServerResponse that an exchange needs; node's own server code sets them
 * from outside. They are the same in node 20 to 26, except those marked as newer.
 */
import type { EventEmitter } from 'node:events';
import type * as http from 'node:http';
import { unsupportedError } from '../errors/index.js';
import { nodeHttp } from '../runtime/http.js';

/** Headers as `setHeader` stores them: the name in lower case, the name as given, and the value. */
export type OutHeaders = Record<string, [name: string, value: HeaderValue]>;
/** Values are not checked: anything that is not an array is one value. */
export type HeaderValue = unknown;

export interface RequestInternals<Socket> {
  socket: Socket;
  upgrade: boolean | null;
  joinDuplicateHeaders: boolean;
  _consuming: boolean;
  _dumped: boolean;
  _dump(): void;
  readonly _eventsCount: number;
}

export interface ResponseInternals<Socket> {
  socket: Socket | null;
  destroyed: boolean;
  finished: boolean;
  _header: string | null;
  _headerSent: boolean;
  _contentLength: number | null;
  _hasBody: boolean;
  /** The trailers as they are sent. */
  _trailer: string;
  _removedContLen: boolean;
  _removedConnection: boolean;
  _removedTE: boolean;
  _last: boolean;
  /** Whether the header Keep-Alive is sent where the program sets none. */
  _defaultKeepAlive: boolean;
  /** Milliseconds. */
  _keepAliveTimeout: number;
  _maxRequestsPerSocket: number;
  maxRequestsOnConnectionReached: boolean;
  /** Called as bytes are queued on a response that does not own its connection yet, and as they leave. */
  _onPendingData(delta: number): void;
  _closed: boolean;
  _sent100: boolean;
  _expect_continue: boolean;
  _implicitHeader(): void;
  _finish(): void;
  _storeHeader(firstLine: string, headers: unknown): void;
  _send(...args: unknown[]): boolean;
  _writeRaw(data: string, encoding: string, callback: null): boolean;
  /** Not in node 20 and 22. */
  _isLenientHeaderValidation?(): boolean;
  readonly outputData: readonly unknown[];
  readonly _eventsCount: number;
}

function findSymbol(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}

function symbolOf(object: object, description: string): symbol {
  const found = findSymbol(object, description);
  if (found === undefined) throw unsupportedError(`Making requests and responses by node ${process.versions.node}`);
  return found;
}

/*
 * As node's ServerResponse, without what its constructor publishes. A function, and not `Object.create`: V8 keeps the
 * fields of what that makes in a dictionary, and a function that has seen one such response reads the fields of all by
 * a lookup.
 */
function BareResponse(this: http.ServerResponse, request: http.IncomingMessage, options: object): void {
  Reflect.apply(nodeHttp.OutgoingMessage, this, [options]);
  Object.assign(this, { req: request, sendDate: true, _sent100: false, _expect_continue: false });
}
// From the classes that a function inherits from V8 knows how much room its objects need.
Object.setPrototypeOf(BareResponse, nodeHttp.ServerResponse);
BareResponse.prototype = nodeHttp.ServerResponse.prototype;

/** A response that is not published as each of a server's is. */
export function bareResponse(request: http.IncomingMessage, options: object): http.ServerResponse {
  return new (BareResponse as unknown as new (request: object, options: object) => http.ServerResponse)(
    request,
    options,
  );
}

interface Symbols {
  readonly headersCount: symbol;
  readonly outHeaders: symbol;
  readonly needDrain: symbol;
  /** From here on: newer nodes only. */
  readonly detachSignal: symbol | undefined;
  readonly writableFinished: symbol | undefined;
  readonly endCallbacks: symbol | undefined;
  readonly flushError: symbol | undefined;
}

function findSymbols(): Symbols {
  const { IncomingMessage } = nodeHttp;
  const request = new IncomingMessage(null as never);
  const response = bareResponse(request, {});
  return {
    headersCount: symbolOf(request, 'kHeadersCount'),
    outHeaders: symbolOf(response, 'kOutHeaders'),
    needDrain: symbolOf(response, 'kNeedDrain'),
    detachSignal: findSymbol(IncomingMessage.prototype, 'kDetachAbortSignal'),
    writableFinished: findSymbol(response, 'kWritableFinished'),
    endCallbacks: findSymbol(response, 'kEndCallbacks'),
    flushError: findSymbol(response, 'kFlushError'),
  };
}

let found: Symbols | undefined;

/** The symbols of this node, found at first use. */
function symbols(): Symbols {
  return (found ??= findSymbols());
}

/** Throws ERR_NEARWIRE_UNSUPPORTED if this node's messages lack one of the symbols that all known versions have. */
export function checkMessages(): void {
  symbols();
}

/** The number of strings in `rawHeaders` from which node builds `headers`. */
export function setHeadersCount(request: object, count: number): void {
  (request as Record<symbol, unknown>)[symbols().headersCount] = count;
}

/** The headers that `setHeader` has stored; null if none. */
export function outHeadersOf(response: object): OutHeaders | null {
  return (response as Record<symbol, OutHeaders | null>)[symbols().outHeaders] as OutHeaders | null;
}

/** Whether a `write()` returned false and 'drain' is still owed; clears the flag. */
export function takeNeedDrain(response: object): boolean {
  const { needDrain } = symbols();
  const owed = (response as Record<symbol, unknown>)[needDrain] === true;
  if (owed) (response as Record<symbol, unknown>)[needDrain] = false;
  return owed;
}

/** The request has been answered: the end of its connection must no longer abort `request.signal`. */
export function detachSignal(request: object): void {
  const { detachSignal: detach } = symbols();
  if (detach !== undefined) (request as Record<symbol, () => void>)[detach]?.();
}

export type EndCallback = (error?: Error | null) => void;

export const NO_CALLBACKS: readonly EndCallback[] = [];

/** Calls the callback of an `end()` once the response has finished. */
export function queueEndCallback(response: EventEmitter, callback: EndCallback): void {
  const { endCallbacks } = symbols();
  if (endCallbacks === undefined) {
    response.once('finish', callback);
    return;
  }
  const queue = response as EventEmitter & Partial<Record<symbol, EndCallback[] | null>>;
  queue[endCallbacks] = [...(queue[endCallbacks] ?? []), callback];
}

/** Whether `end()` was given a callback, in nodes in which that is no listener of 'finish'. */
export function hasEndCallbacks(response: object): boolean {
  const { endCallbacks } = symbols();
  return endCallbacks !== undefined && (response as Record<symbol, unknown>)[endCallbacks] !== null;
}

/**
 * The response has finished, or failed with `error`. Newer nodes record that in the response and call the callbacks of
 * `end()` before 'finish', or with the error; this returns those callbacks. In older nodes they are listeners of
 * 'finish'.
 */
export function settleEnd(response: object, error: Error | null): readonly EndCallback[] {
  const { writableFinished, endCallbacks, flushError } = symbols();
  if (writableFinished === undefined || endCallbacks === undefined || flushError === undefined) return NO_CALLBACKS;
  const state = response as Record<symbol, unknown>;
  if (error === null) state[writableFinished] = true;
  else state[flushError] = error;
  const callbacks = state[endCallbacks] as readonly EndCallback[] | null;
  if (callbacks === null) return NO_CALLBACKS;
  state[endCallbacks] = null;
  return callbacks;
}

/**
 * The error that a response fails with which the kernel has taken, if its socket has failed before that is told. In older
 * nodes the response finishes: null.
 */
export function errorOfSocket({ errored }: { readonly errored: Error | null }): Error | null {
  return symbols().endCallbacks === undefined ? null : errored;
}
