/**
 * What node's IncomingMessage and ServerResponse keep for themselves, and an exchange has to know: fields that node's own
 * code for servers sets from outside. They are the same from node 20 to 26, but for those that are said to be of newer nodes.
 */
import type { EventEmitter } from 'node:events';
import { unsupportedError } from '../errors/index.js';
import { nodeHttp } from '../runtime/http.js';

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

interface Symbols {
  readonly headersCount: symbol;
  readonly outHeaders: symbol;
  readonly needDrain: symbol;
  /** From here on of newer nodes. */
  readonly detachSignal: symbol | undefined;
  readonly writableFinished: symbol | undefined;
  readonly endCallbacks: symbol | undefined;
  readonly flushError: symbol | undefined;
}

function findSymbols(): Symbols {
  const { IncomingMessage, ServerResponse } = nodeHttp;
  const request = new IncomingMessage(null as never);
  const response = new ServerResponse(Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1 }));
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

/** Of this node: found when they are first asked for. */
function symbols(): Symbols {
  return (found ??= findSymbols());
}

/** Throws ERR_NEARWIRE_UNSUPPORTED where this node's messages lack what those of all known ones have. */
export function checkMessages(): void {
  symbols();
}

/** How many strings of `rawHeaders` node makes `headers` of. */
export function setHeadersCount(request: object, count: number): void {
  (request as Record<symbol, unknown>)[symbols().headersCount] = count;
}

/** What `setHeader` has put down; null if nothing. */
export function outHeadersOf(response: object): OutHeaders | null {
  return (response as Record<symbol, OutHeaders | null>)[symbols().outHeaders] as OutHeaders | null;
}

/** A `write()` has answered false, and 'drain' is owed: it is not any more. */
export function takeNeedDrain(response: object): boolean {
  const { needDrain } = symbols();
  const owed = (response as Record<symbol, unknown>)[needDrain] === true;
  if (owed) (response as Record<symbol, unknown>)[needDrain] = false;
  return owed;
}

/** The request has been answered: the end of its connection is no reason any more to abort `request.signal`. */
export function detachSignal(request: object): void {
  const { detachSignal: detach } = symbols();
  if (detach !== undefined) (request as Record<symbol, () => void>)[detach]?.();
}

export type EndCallback = (error?: Error | null) => void;

export const NO_CALLBACKS: readonly EndCallback[] = [];

/** Has the callback of an `end()` called once the answer is through. */
export function queueEndCallback(response: EventEmitter, callback: EndCallback): void {
  const { endCallbacks } = symbols();
  if (endCallbacks === undefined) {
    response.once('finish', callback);
    return;
  }
  const queue = response as EventEmitter & Partial<Record<symbol, EndCallback[] | null>>;
  queue[endCallbacks] = [...(queue[endCallbacks] ?? []), callback];
}

/**
 * The answer is through, or with an error never will be. Newer nodes note that in the response, and call the callbacks of
 * `end()`, which are answered, before 'finish', or with the error. To older ones they are listeners of 'finish'.
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
