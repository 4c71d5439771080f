/** Makes genuine ServerResponses to plain requests, as node's server prepares them. */
import type { Incoming, Outgoing, ResponseClass } from '../exchange/contracts.js';
import { makeResponse } from '../exchange/response.js';
import { giveUniqueHeaders } from '../node/http-server.js';
import type { HttpHost } from './host.js';
import type { PlainHead } from './plain-request.js';
import { plainEndsMayBeShort, storeHeader } from './response-head.js';
import { wantsChunks } from './te-header.js';

export function makePlainResponse(host: HttpHost, Class: ResponseClass, request: Incoming, head: PlainHead): Outgoing {
  const { emitter, responseOptions } = host;
  // First: the response announces itself, and a listener may run the event loop.
  const { keepsAlive, minorVersion } = head;
  const response = makeResponse(Class, request, responseOptions, storeHeader, plainEndsMayBeShort());
  response._keepAliveTimeout = emitter.keepAliveTimeout;
  response.shouldKeepAlive = keepsAlive;
  giveUniqueHeaders(emitter, response);
  if (minorVersion === 0) speakOldVersion(request, response);
  return response;
}

/** HTTP/1.0: not before the response was made, which would look into the headers. */
function speakOldVersion(request: Incoming, response: Outgoing): void {
  request.httpVersionMinor = 0;
  request.httpVersion = '1.0';
  response.useChunkedEncodingByDefault = wantsChunks(request.rawHeaders);
}
