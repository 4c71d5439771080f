/** How the body of a file response reaches the socket: by reference, or by copy and why; with counts of both. */
import type * as http from 'node:http';
import type { TLSSocket } from 'node:tls';
import { prematureCloseError, writeError } from '../errors/index.js';
import { isWrittenByNode } from '../exchange/response.js';
import { FileRange } from '../binding/file-range.js';
import { FileChunk } from '../files/file-write.js';
import { nodeHttp } from '../runtime/http.js';
import { NativeSocket } from '../net/socket.js';
import { copyBody } from './copy-body.js';
import { isStandIn } from './stand-in.js';
import type { OpenFile } from '../files/open.js';

/**
 * Why a body was copied. `tls`: it is encrypted in user space. `transport`: the socket is one of node's own.
 * `replaced`: a middleware has replaced the response's `write`, and must see the bytes. `chunked`: the response uses
 * chunked encoding. `strict`: node must compare the body with its Content-Length.
 */
export type CopyReason = 'tls' | 'transport' | 'replaced' | 'chunked' | 'strict';

/** Bodies that `sendFile` has sent or begun to send in this thread. Responses without a body are not counted. */
export interface SendFileStats {
  /** Bodies that the kernel was handed as references. */
  readonly byReference: number;
  /** Bodies that were read and written. */
  readonly byCopy: number;
  /** The number of copied bodies by reason. */
  readonly reasons: Readonly<Partial<Record<CopyReason, number>>>;
}

let byReference = 0;
let byCopy = 0;
const reasons: Partial<Record<CopyReason, number>> = {};

/** The counters of `sendFile` in this thread: how many bodies were sent by reference, how many by copy, and why. */
export function sendFileStats(): SendFileStats {
  return { byReference, byCopy, reasons: { ...reasons } };
}

/** The part of OutgoingMessage that its types leave out. */
interface Internals {
  _send(data: string, encoding: BufferEncoding): boolean;
}

const originalSend = (nodeHttp.OutgoingMessage.prototype as unknown as Internals)._send;

/** The socket to which the file is sent by reference, or the reason why it is not. */
function pathOf(response: http.ServerResponse, file: OpenFile): NativeSocket | CopyReason {
  const { socket } = response;
  if (!(socket instanceof NativeSocket) || file.engineFile < 0)
    return (socket as TLSSocket | null)?.encrypted === true ? 'tls' : 'transport';
  if (!isWrittenByNode(response) || (response as unknown as Internals)._send !== originalSend) return 'replaced';
  if (response.chunkedEncoding) return 'chunked';
  return response.strictContentLength ? 'strict' : socket;
}

/**
 * Whether a write failed because of its file, which was truncated or is not readable, and not because of its
 * connection.
 */
function isOfFile({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ERR_NEARWIRE_FILE_TRUNCATED' || code === 'EIO';
}

/**
 * Sends the range: on the connection of a stand-in; bypassing the socket's stream if nothing is queued there, as small
 * writes do; otherwise as a chunk of the stream (see files/file-write.ts).
 */
function refer(socket: NativeSocket, range: FileRange, callback: (error?: Error | null) => void): void {
  const told = (error?: Error | null): void => {
    if (error) callback(isOfFile(error) ? error : prematureCloseError(error));
    // Closed or not: the kernel has taken it. Some versions of node call back without an error for a cancelled write.
    else callback(!isStandIn(socket) && socket._connection?.cut !== false ? prematureCloseError() : null);
  };
  if (isStandIn(socket) && socket._owner.writeRange(range, told)) return;
  const connection = socket._connection;
  if (connection !== undefined && socket.writableCorked === 0 && socket._takesDirectWrites(told)) {
    socket._idle?.touch();
    connection.bytesWritten += range.length;
    const left = connection.writeParts([range]);
    if (left < 0) told(writeError(left));
    else if (left > 0) connection.whenFlushed(told);
    else told();
    return;
  }
  const chunk = new FileChunk(range.length);
  chunk.ready(range);
  socket._writeChunk(chunk, told);
}

/**
 * Sends this part of the file as the body of a response whose headers are set. Calls back when all of it has reached
 * the kernel (by reference) or the response (by copy), or with the error that ended it.
 */
export function sendBody(
  response: http.ServerResponse,
  file: OpenFile,
  offset: number,
  length: number,
  callback: (error?: Error | null) => void,
): void {
  // The body is complete, and `end()` waits for it: a corked response would never be sent.
  while (response.writableCorked > 0) response.uncork();
  const path = pathOf(response, file);
  if (typeof path === 'string') {
    byCopy++;
    reasons[path] = (reasons[path] ?? 0) + 1;
    copyBody(response, file, offset, length, callback);
    return;
  }
  byReference++;
  // Sends the headers as node's own flushHeaders() does.
  (response as unknown as Internals)._send('', 'latin1');
  refer(path, new FileRange(file.engineFile, offset, length), callback);
}
