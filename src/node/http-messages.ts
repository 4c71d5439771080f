/**
 * What node's IncomingMessage and ServerResponse keep for themselves, and an exchange has to know: fields that node's own
 * code for servers sets from outside. They are the same from node 20 to 26, but for those that are said to be of newer nodes.
 */
import type { EventEmitter } from 'node:events';
import { unsupportedError } from '../errors/index.js';
import { nodeHttp } from '../runtime/modules.js';

/** Headers as `setHeader` keeps them: by their name in lower case, the name as given and the value. */
export type OutHeaders = Record<string, [name: string, value: HeaderValue]>;
/** What it takes is not checked: anything that is no array is one value. */
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
/** Of newer nodes. */
const DETACH_SIGNAL = findSymbol(nodeHttp.IncomingMessage.prototype, 'kDetachAbortSignal');
const WRITABLE_FINISHED = findSymbol(sampleResponse, 'kWritableFinished');
const END_CALLBACKS = findSymbol(sampleResponse, 'kEndCallbacks');
const FLUSH_ERROR = findSymbol(sampleResponse, 'kFlushError');

/** How many strings of `rawHeaders` node makes `headers` of. */
export function setHeadersCount(request: object, count: number): void {
  (request as Record<symbol, unknown>)[HEADERS_COUNT] = count;
}

/** What `setHeader` has put down; null if nothing. */
export function outHeadersOf(response: object): OutHeaders | null {
  return (response as Record<symbol, OutHeaders | null>)[OUT_HEADERS] as OutHeaders | null;
}

/** A `write()` has answered false, and 'drain' is owed: it is not any more. */
export function takeNeedDrain(response: object): boolean {
  const owed = (response as Record<symbol, unknown>)[NEED_DRAIN] === true;
  if (owed) (response as Record<symbol, unknown>)[NEED_DRAIN] = false;
  return owed;
}

/** The request has been answered: the end of its connection is no reason any more to abort `request.signal`. */
export function detachSignal(request: object): void {
  if (DETACH_SIGNAL !== undefined) (request as Record<symbol, () => void>)[DETACH_SIGNAL]?.();
}

export type EndCallback = (error?: Error | null) => void;

export const NO_CALLBACKS: readonly EndCallback[] = [];

/** Has the callback of an `end()` called once the answer is through. */
export function queueEndCallback(response: EventEmitter, callback: EndCallback): void {
  if (END_CALLBACKS === undefined) {
    response.once('finish', callback);
    return;
  }
  const queue = response as EventEmitter & Partial<Record<symbol, EndCallback[] | null>>;
  queue[END_CALLBACKS] = [...(queue[END_CALLBACKS] ?? []), callback];
}

/**
 * The answer is through, or with an error never will be. Newer nodes note that in the response, and call the callbacks of
 * `end()`, which are answered, before 'finish', or with the error. To older ones they are listeners of 'finish'.
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
