/** Genuine `http.IncomingMessage`s. */
import type { RequestHead } from './codec.js';
import type { Incoming, RequestClass, OneRequestServer, SocketContract } from './contracts.js';
import { markEnded } from './ended-state.js';
import { newRequest } from './genuine-messages.js';
import { setHeadersCount } from '../node/http-messages.js';
import { isHeard } from '../node/is-heard.js';
import { readableState } from '../node/stream-state.js';

/**
 * Makes a request of these headers. Its version is 1.1 until `setVersion`, because node's ServerResponse would
 * otherwise look into the headers.
 */
export function makeRequest(
  server: OneRequestServer,
  Class: RequestClass,
  socket: SocketContract,
  head: RequestHead,
): Incoming {
  const request = new Class(socket);
  const { rawHeaders } = head;
  request.rawHeaders = rawHeaders;
  setHeadersCount(request, rawHeaders.length);
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.httpVersion = '1.1';
  request.method = head.method;
  request.url = head.url;
  request.upgrade = false;
  if (server.joinDuplicateHeaders) request.joinDuplicateHeaders = true;
  return request;
}

export function setVersion(request: Incoming, { versionMajor, versionMinor }: RequestHead): void {
  if (versionMajor === 1 && versionMinor === 1) return;
  request.httpVersionMajor = versionMajor;
  request.httpVersionMinor = versionMinor;
  request.httpVersion = `${String(versionMajor)}.${String(versionMinor)}`;
}

export function wantsBody(request: Incoming): boolean {
  return !request._dumped && !readableState(request).destroyed;
}

/** No code reads it or listens to it. Most requests have no body, so most end like this. */
export function isUnheard(request: Incoming): boolean {
  const { length, resumeScheduled } = readableState(request);
  return !isHeard(request) && !request._consuming && length === 0 && !resumeScheduled;
}

export function pushEnd(request: Incoming): void {
  request.push(null);
}

/** Newer nodes schedule nothing if there is no listener, and record what a later listener is owed. */
function pushesQuietly(): boolean {
  const request = newRequest(null);
  request.push(null);
  return !readableState(request).emittedReadable;
}

let quiet: boolean | undefined;

/**
 * The end of a request without listeners: the effect of `push(null)` without its tick. A later reader still gets 'end'.
 */
export function noteEnd(request: Incoming): void {
  if ((quiet ??= pushesQuietly())) request.push(null);
  else readableState(request).ended = true;
}

/**
 * The response has finished, and the request has neither readers nor listeners: it ends as if it had been discarded.
 * The effect of node's `_dump()`, without its three ticks.
 */
export function endUnheard(request: Incoming): void {
  request._dumped = true;
  markEnded(request);
}
