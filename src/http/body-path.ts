/** How the body of a file's answer gets to the socket: by reference, or by copy and why; and counts of both. */
import type * as http from 'node:http';
import type { TLSSocket } from 'node:tls';
import { prematureCloseError, writeError } from '../errors/index.js';
import { FileRange } from '../binding/file-range.js';
import { FileChunk } from '../files/file-write.js';
import { nodeHttp } from '../runtime/http.js';
import { NativeSocket } from '../net/socket.js';
import { copyBody } from './copy-body.js';
import type { OpenFile } from './open-file.js';

/**
 * Why a body was copied: `tls`: it is encrypted in user space; `transport`: the socket is node's own; `replaced`: a
 * middleware has put its own `write` on the response, and is to see the bytes; `chunked`: so is the body; `strict`: node
 * is to compare the body with its Content-Length.
 */
export type CopyReason = 'tls' | 'transport' | 'replaced' | 'chunked' | 'strict';

/** Bodies that `sendFile` has sent or begun to send in this thread. Answers without a body are not counted. */
export interface SendFileStats {
  readonly byReference: number;
  readonly byCopy: number;
  /** How many bodies were copied for which reason. */
  readonly reasons: Readonly<Partial<Record<CopyReason, number>>>;
}

let byReference = 0;
let byCopy = 0;
const reasons: Partial<Record<CopyReason, number>> = {};

/** What `sendFile` has done so far, in this thread: how many bodies went by reference, how many by copy, and why. */
export function sendFileStats(): SendFileStats {
  return { byReference, byCopy, reasons: { ...reasons } };
}

/** The part of OutgoingMessage that its types leave out. */
interface Internals {
  _send(data: string, encoding: BufferEncoding): boolean;
}

const originalWrite = nodeHttp.OutgoingMessage.prototype.write;
const originalSend = (nodeHttp.OutgoingMessage.prototype as unknown as Internals)._send;

/** The socket that the file goes to by reference, or why it does not. */
function pathOf(response: http.ServerResponse, file: OpenFile): NativeSocket | CopyReason {
  const { socket } = response;
  if (!(socket instanceof NativeSocket) || file.engineFile < 0)
    return (socket as TLSSocket | null)?.encrypted === true ? 'tls' : 'transport';
  if (response.write !== originalWrite || (response as unknown as Internals)._send !== originalSend) return 'replaced';
  if (response.chunkedEncoding) return 'chunked';
  return response.strictContentLength ? 'strict' : socket;
}

/** Whether a write has failed for its file, which has become shorter or can't be read, and not for its connection. */
function isOfFile({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ERR_NEARWIRE_FILE_TRUNCATED' || code === 'EIO';
}

/**
 * Sends the range: past the socket's stream if nothing stands before it there, as small writes go, else as a chunk of the
 * stream's (see net/file-chunk.ts).
 */
function refer(socket: NativeSocket, range: FileRange, callback: (error?: Error | null) => void): void {
  const told = (error?: Error | null): void => {
    if (error) callback(isOfFile(error) ? error : prematureCloseError(error));
    else callback(socket._connection?.open === true ? null : prematureCloseError());
  };
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
  chunk.stage = 'ready';
  chunk.range = range;
  socket._writeChunk(chunk, told);
}

/**
 * Sends this part of the file as the body of a response whose head has been made. Calls back when all of it is with the
 * kernel (by reference) or with the response (by copy), or with the error that ended it.
 */
export function sendBody(
  response: http.ServerResponse,
  file: OpenFile,
  offset: number,
  length: number,
  callback: (error?: Error | null) => void,
): void {
  // The body is whole, and its end waits for it: a cork would never come out.
  while (response.writableCorked > 0) response.uncork();
  const path = pathOf(response, file);
  if (typeof path === 'string') {
    byCopy++;
    reasons[path] = (reasons[path] ?? 0) + 1;
    copyBody(response, file.fd, offset, length, callback);
    return;
  }
  byReference++;
  // The head leaves as by node's own flushHeaders().
  (response as unknown as Internals)._send('', 'latin1');
  refer(path, new FileRange(file.engineFile, offset, length), callback);
}
