/**
 * Private fields of node's IncomingMessage and ServerResponse that an exchange needs; node's own server code sets them
 * from outside. They are the same in node 20 to 26, except those marked as newer.
 */
import type { EventEmitter } from 'node:events';
import { unsupportedError } from '../errors/index.js';
import { nodeHttp } from '../runtime/modules.js';

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
  readonly _readableState: {
    resumeScheduled: boolean;
    emittedReadable: boolean;
    flowing: boolean | null;
    ended: boolean;
    endEmitted: boolean;
    destroyed: boolean;
    closed: boolean;
    closeEmitted: boolean;
    readonly length: number;
  };
}

export interface ResponseInternals<Socket> {
  socket: Socket | null;
  destroyed: boolean;
  finished: boolean;
  _header: string | null;
  _headerSent: boolean;
  _contentLength: number | null;
  _hasBody: boolean;
  _removedContLen: boolean;
  _last: boolean;
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

const sampleRequest = new nodeHttp.IncomingMessage(null as never);
const sampleResponse = new nodeHttp.ServerResponse(
  Object.assign(sampleRequest, { httpVersionMajor: 1, httpVersionMinor: 1 }),
);

const HEADERS_COUNT = symbolOf(sampleRequest, 'kHeadersCount');
const OUT_HEADERS = symbolOf(sampleResponse, 'kOutHeaders');
const NEED_DRAIN = symbolOf(sampleResponse, 'kNeedDrain');
/** Newer nodes only. */
const DETACH_SIGNAL = findSymbol(nodeHttp.IncomingMessage.prototype, 'kDetachAbortSignal');
const WRITABLE_FINISHED = findSymbol(sampleResponse, 'kWritableFinished');
const END_CALLBACKS = findSymbol(sampleResponse, 'kEndCallbacks');
const FLUSH_ERROR = findSymbol(sampleResponse, 'kFlushError');

/** The number of strings in `rawHeaders` from which node builds `headers`. */
export function setHeadersCount(request: object, count: number): void {
  (request as Record<symbol, unknown>)[HEADERS_COUNT] = count;
}

/** The headers that `setHeader` has stored; null if none. */
export function outHeadersOf(response: object): OutHeaders | null {
  return (response as Record<symbol, OutHeaders | null>)[OUT_HEADERS] as OutHeaders | null;
}

/** Whether a `write()` returned false and 'drain' is still owed; clears the flag. */
export function takeNeedDrain(response: object): boolean {
  const owed = (response as Record<symbol, unknown>)[NEED_DRAIN] === true;
  if (owed) (response as Record<symbol, unknown>)[NEED_DRAIN] = false;
  return owed;
}

/** The request has been answered: the end of its connection must no longer abort `request.signal`. */
export function detachSignal(request: object): void {
  if (DETACH_SIGNAL !== undefined) (request as Record<symbol, () => void>)[DETACH_SIGNAL]?.();
}

export type EndCallback = (error?: Error | null) => void;

export const NO_CALLBACKS: readonly EndCallback[] = [];

/** Calls the callback of an `end()` once the response has finished. */
export function queueEndCallback(response: EventEmitter, callback: EndCallback): void {
  if (END_CALLBACKS === undefined) {
    response.once('finish', callback);
    return;
  }
  const queue = response as EventEmitter & Partial<Record<symbol, EndCallback[] | null>>;
  queue[END_CALLBACKS] = [...(queue[END_CALLBACKS] ?? []), callback];
}

/**
 * The response has finished, or failed with `error`. Newer nodes record that in the response and call the callbacks of
 * `end()` before 'finish', or with the error; this returns those callbacks. In older nodes they are listeners of
 * 'finish'.
 */
export function settleEnd(response: object, error: Error | null): readonly EndCallback[] {
  if (WRITABLE_FINISHED === undefined || END_CALLBACKS === undefined || FLUSH_ERROR === undefined) return NO_CALLBACKS;
  const state = response as Record<symbol, unknown>;
  if (error === null) state[WRITABLE_FINISHED] = true;
  else state[FLUSH_ERROR] = error;
  const callbacks = state[END_CALLBACKS] as readonly EndCallback[] | null;
  if (callbacks === null) return NO_CALLBACKS;
  state[END_CALLBACKS] = null;
  return callbacks;
}
