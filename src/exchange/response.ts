/**
 * Genuine `http.ServerResponse`s with a fast path: `end()` on a response of which nothing has been sent writes headers
 * and body at once. Everything else is node's own code, on top of the stand-in for its socket. How headers are built is
 * the protocol's matter.
 *
 * Methods are replaced on the object itself: a framework may change its prototype (Express does).
 */
// The global one is looked up at each use.
import { Buffer } from 'node:buffer';
import { nodeHttp } from '../runtime/http.js';
import { queueEndCallback, type EndCallback } from '../node/http-messages.js';
import { isNodesOwn } from '../node/own-method.js';
import type { Incoming, Outgoing, ResponseClass, ResponseOptions, SocketContract } from './contracts.js';
import { outgoingMethods } from './genuine-messages.js';
import { isBeyondAscii } from './header-lines.js';
import { makeImplicitHeader } from './implicit-header.js';

const originalEnd = nodeHttp.ServerResponse.prototype.end as (this: Outgoing, ...args: unknown[]) => Outgoing;
const originalWrite = nodeHttp.ServerResponse.prototype.write as (this: Outgoing, ...args: unknown[]) => boolean;

/** Whether nothing has been put in the place of node's methods before nearwire loaded. */
export const METHODS_ARE_NODES =
  isNodesOwn(originalEnd, 'ERR_HTTP_CONTENT_LENGTH_MISMATCH') &&
  isNodesOwn(nodeHttp.ServerResponse.prototype.writeHead, 'ERR_HTTP_INVALID_STATUS_CODE');

export function makeResponse(
  Class: ResponseClass,
  request: Incoming,
  options: ResponseOptions,
  storeHeader: Outgoing['_storeHeader'],
  short: boolean,
): Outgoing {
  return hasten(new Class(request, options), storeHeader, short);
}

/** Gives a response the fast path. */
export function hasten(response: Outgoing, storeHeader: Outgoing['_storeHeader'], short: boolean): Outgoing {
  // Node gives a response these two as it is answered: with them at once, all that are answered here are of one shape.
  response.statusCode = response.statusCode;
  response.statusMessage = response.statusMessage;
  response._storeHeader = storeHeader;
  // If a program has replaced node's `end`, its replacement is to be called.
  if (short && response.end === originalEnd) response.end = end as Outgoing['end'];
  if (short && response.write === originalWrite) response.write = write as Outgoing['write'];
  return response;
}

function isUtf8(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8';
}

/** Whether its `end()` is the fast path. */
export function endsShort(response: Outgoing): boolean {
  return response.end === end;
}

/**
 * Whether it can take the fast path: nothing of this response has been sent, and its state and arguments are ordinary.
 */
export function isShort(response: Outgoing, socket: SocketContract | null, chunk: unknown, encoding: unknown): boolean {
  return (
    socket?.writable === true &&
    socket._owner !== undefined &&
    socket._httpMessage === response &&
    !response._headerSent &&
    !response.finished &&
    !response.destroyed &&
    !response.strictContentLength &&
    // Newer nodes keep the chunks of a corked response in it; and node's `end()` uncorks.
    response.writableCorked === 0 &&
    response.outputData.length === 0 &&
    response._send === originalSend &&
    (typeof chunk === 'string'
      ? isUtf8(encoding)
      : chunk === undefined || chunk === null || chunk instanceof Uint8Array)
  );
}

function endByNode(response: Outgoing, chunk: unknown, encoding: unknown, callback: unknown): Outgoing {
  const owner = response.socket?._owner;
  if (response.finished) owner?.finishEnded();
  else owner?.awaitFinish(response);
  return originalEnd.call(response, chunk, encoding, callback);
}

/** Behind its end: in node a response is over a tick later, and tells nothing of what is written to it. */
function write(this: Outgoing, chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
  if (this.finished) this.socket?._owner?.finishEnded();
  return originalWrite.call(this, chunk, encoding, callback);
}

const IS_WRITE_NODES = isNodesOwn(originalWrite, 'write_(this');

/** Whether `response.write()` is node's, or ours, which calls node's: nothing else sees what is written. */
export function isWrittenByNode(response: { readonly write: unknown }): boolean {
  return IS_WRITE_NODES && (response.write === originalWrite || response.write === write);
}

/** A body where none is allowed is an error, which node's code throws. */
function rejectsBody({ socket }: Outgoing): boolean {
  return socket?._owner?.server.responseOptions.rejectNonStandardBodyWrites === true;
}

function end(this: Outgoing, chunk?: unknown, encoding?: unknown, callback?: unknown): Outgoing {
  const { socket } = this;
  if (typeof chunk === 'function') {
    callback = chunk;
    chunk = encoding = undefined;
  } else if (typeof encoding === 'function') {
    callback = encoding;
    encoding = undefined;
  }
  if (!isShort(this, socket, chunk, encoding)) return endByNode(this, chunk, encoding, callback);
  const body = (chunk ?? '') as string | Uint8Array;
  let isAscii = false;
  if (this._header === null) {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    isAscii = length === body.length;
    this._contentLength = length;
    makeImplicitHeader(this);
    // A listener of the headers (on-headers) may have changed anything.
    if (!isShort(this, socket, chunk, encoding)) return endByNode(this, chunk, encoding, callback);
  }
  if (!this._hasBody && chunk && rejectsBody(this)) return endByNode(this, chunk, encoding, callback);
  if (typeof callback === 'function') queueEndCallback(this, callback as EndCallback);
  this._headerSent = true;
  this.finished = true;
  sendWhole(this, socket as SocketContract, this._hasBody ? body : '', isAscii);
  this._finish();
  return this;
}

/** `isAscii`: whether a body that is a string is known to consist of ASCII. */
function sendWhole(
  response: Outgoing,
  { _owner: owner }: SocketContract,
  body: string | Uint8Array,
  isAscii: boolean,
): void {
  const head = response._header ?? '';
  if (!response.chunkedEncoding || !response._hasBody) {
    owner?.writeWhole(head, body, '', isAscii);
    return;
  }
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  const end = `0\r\n${response._trailer}\r\n`;
  // Node sends these headers with the length of the chunk, which is latin1.
  if (typeof body === 'string' && isBeyondAscii(head)) body = Buffer.from(body);
  if (length === 0) owner?.writeWhole(head + end, '', '', false);
  else owner?.writeWhole(`${head}${length.toString(16)}\r\n`, body, `\r\n${end}`, false);
}

export const originalSend = outgoingMethods._send;
