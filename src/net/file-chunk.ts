/**
 * Files in a native socket's stream: each passes through the Writable as a chunk, with the order, accounting and
 * callback of any write; `_write` recognizes it and passes its range to the connection.
 */
import { constants } from 'node:os';
import { errnoError } from '../errors/index.js';
import type { FileRange, WritePart } from '../binding/file-range.js';
import { FileChunk, FileWrite, type FileCarrier } from '../files/file-write.js';
import type { FileDone, SendFileCall } from '../files/options.js';
import { withReferences } from '../files/page.js';
import { type WriteCallback, writableState } from '../node/stream-state.js';
import type { SocketFields } from './socket-fields.js';
import type { SocketConnection } from './socket-connection.js';

const { ECANCELED } = constants.errno;

/** A socket whose stream accepts files among its chunks. */
interface FileStream extends SocketFields {
  /** Writes a chunk that must pass through the stream. */
  _writeChunk(chunk: FileChunk, callback: WriteCallback): void;
  /** Continues a write that has waited for a file. */
  _writeOpened(): void;
}

export function isFile(part: object): boolean {
  return part instanceof FileChunk;
}

/** Whether a file is waiting in the stream. */
export function holdsFiles(socket: FileStream): boolean {
  if (socket._earlyWrite !== undefined) return true;
  return writableState(socket)
    .getBuffer()
    .some(({ chunk }) => typeof chunk === 'object' && isFile(chunk));
}

class StreamCarrier implements FileCarrier {
  private readonly socket: FileStream;

  constructor(socket: FileStream) {
    this.socket = socket;
  }

  write(chunk: FileChunk, callback: WriteCallback): void {
    this.socket._writeChunk(chunk, (error) => {
      // Some versions of node call back without an error for a write that destroy() has interrupted.
      callback(error ?? (this.socket._connection?.cut === true ? errnoError(-ECANCELED, 'write') : null));
    });
  }

  withdraw(range: FileRange): boolean {
    const connection = this.socket._connection;
    if (connection?.open !== true || typeof range.file !== 'number') return false;
    if (!connection.engine.native.withdrawFile(connection.id, range.file)) return false;
    connection.bytesWritten -= range.length;
    return true;
  }

  destroy(error: Error): void {
    this.socket.destroy(error);
  }
}

/** Puts a file into the stream's queue. Calls no callback synchronously. */
export function sendFileNatively(socket: FileStream, call: SendFileCall, done: FileDone): void {
  new FileWrite(socket._settings.engine, new StreamCarrier(socket), call, done).begin();
}

/** Dispatches a write with a file among its parts: now, or as soon as all files are open. */
export function dispatchFiles(
  socket: FileStream,
  connection: SocketConnection,
  parts: Uint8Array[],
  callback: WriteCallback,
): void {
  const files = (parts as object[]).filter((part): part is FileChunk => part instanceof FileChunk);
  const opening = files.find((file) => file.stage === 'opening');
  if (opening !== undefined) {
    socket._earlyWrite = { parts, callback, awaitsFile: true };
    opening.onOpened = () => {
      socket._writeOpened();
    };
    return;
  }
  const handed: WritePart[] = [];
  for (const part of parts as (Uint8Array | FileChunk)[]) {
    const range = part instanceof FileChunk ? part.hand() : part;
    if (range !== undefined) handed.push(range);
  }
  for (const part of handed) connection.bytesWritten += part.length;
  connection.sendParts(withReferences(handed) ?? handed, (error) => {
    for (const file of files) file.written(error);
    callback(error);
  });
}
