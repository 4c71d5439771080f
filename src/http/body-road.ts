/** How the body of a file's answer gets to the socket: by reference, or by copy and why; and counts of both. */
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { nodeHttp } from '../node-modules.js';
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

const nodesWrite = nodeHttp.OutgoingMessage.prototype.write;
const nodesSend = (nodeHttp.OutgoingMessage.prototype as unknown as Internals)._send;

/** A socket that sends files by itself. */
interface SendingSocket extends Socket {
  sendFile(fd: number, options: { offset: number; length: number }, callback: (error?: Error | null) => void): void;
}

function isSending(socket: Socket | null): socket is SendingSocket {
  return socket instanceof NativeSocket && 'sendFile' in socket;
}

function whyCopy(response: http.ServerResponse): CopyReason | undefined {
  const { socket } = response;
  if (!isSending(socket)) return (socket as TLSSocket | null)?.encrypted === true ? 'tls' : 'transport';
  if (response.write !== nodesWrite || (response as unknown as Internals)._send !== nodesSend) return 'replaced';
  if (response.chunkedEncoding) return 'chunked';
  return response.strictContentLength ? 'strict' : undefined;
}

/**
 * Sends this part of the file as the body of a response whose head has been made. Calls back when all of it is with the
 * kernel (by reference) or with the response (by copy), or with the error that ended it.
 */
export function sendBody(
  response: http.ServerResponse,
  { fd }: OpenFile,
  offset: number,
  length: number,
  callback: (error?: Error | null) => void,
): void {
  // The body is whole, and its end waits for it: a cork would never come out.
  while (response.writableCorked > 0) response.uncork();
  const reason = whyCopy(response);
  if (reason !== undefined) {
    byCopy++;
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    copyBody(response, fd, offset, length, callback);
    return;
  }
  byReference++;
  // The head leaves as by node's own flushHeaders().
  (response as unknown as Internals)._send('', 'latin1');
  (response.socket as SendingSocket).sendFile(fd, { offset, length }, callback);
}
