/** What `serve()` adds to a server. */
import type * as http from 'node:http';
import { getDefaultHighWaterMark } from 'node:stream';
import { checkBoolean, checkFunction } from '../../config/options.js';
import { argTypeError } from '../../errors/index.js';
import { setApp } from './apps.js';
import type { FetchApp, FetchErrorHandler, FetchHandler } from './contracts.js';
import { replaceGlobals } from './global-objects.js';
import { requestListener } from './node-exchange.js';
import { makeRequest } from './request.js';

/** The handlers of a server, and what they see. */
export interface FetchOptions {
  /**
   * Answers each request. What it throws, or rejects with, goes to `error`, and so does a result that is not a Response,
   * or one that has been read.
   */
  fetch: FetchHandler;
  /**
   * Answers in the place of a `fetch` that has failed. Default: the error is reported by `console.error`, and the client
   * gets 500 in plain text. So it is with errors of this handler.
   */
  error?: FetchErrorHandler | undefined;
  /**
   * Puts nearwire's `FastResponse` in the place of `globalThis.Response`, for frameworks that write `new Response()`, and
   * replaces `Request` and `fetch` by ones that take its requests. It cannot be undone. Default false.
   */
  overrideGlobalObjects?: boolean | undefined;
}

/** Checks the options, and returns the handlers. */
export function appOf(options: unknown): FetchApp {
  if (typeof options !== 'object' || options === null) throw argTypeError('options', 'of type object', options);
  const { fetch, error, overrideGlobalObjects, highWaterMark } = options as Record<string, unknown>;
  checkFunction(fetch, 'options.fetch');
  if (error !== undefined) checkFunction(error, 'options.error');
  if (overrideGlobalObjects !== undefined) checkBoolean(overrideGlobalObjects, 'options.overrideGlobalObjects');
  if (overrideGlobalObjects === true) replaceGlobals();
  return {
    handle: fetch as FetchHandler,
    onError: error as FetchErrorHandler | undefined,
    highWaterMark: typeof highWaterMark === 'number' ? highWaterMark : getDefaultHighWaterMark(false),
    makeRequest,
  };
}

/** Has the handlers answer the server's requests. */
export function answerByFetch(server: http.Server, app: FetchApp): void {
  const listener = requestListener(app);
  server.on('request', listener);
  setApp(server, { app, listener });
}
