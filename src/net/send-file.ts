/** `sendFile` for every stream: by reference where the stream can, else by reading the file piece by piece. */
import type { Writable } from 'node:stream';
import { argTypeError } from '../errors/index.js';
import { beginSendFile, type FileSource, type SendFileOptions } from '../files/options.js';
import { sendFileNatively } from './file-chunk.js';
import { NativeSocket } from './socket.js';
import { sendFileByStream } from '../files/stream-file.js';

/**
 * Sends a file, or a part of it, to a stream, as `socket.sendFile` does: a native socket sends it by reference, any other
 * Writable is given what is read of the file, no faster than it takes it, and in its turn among the writes. An http
 * message is written to piece by piece: what is written to it before the promise has settled comes between the pieces.
 */
export async function sendFile(stream: Writable, file: FileSource, options?: SendFileOptions): Promise<number> {
  if (stream instanceof NativeSocket) {
    return beginSendFile(file, options, (call, done) => {
      sendFileNatively(stream, call, done);
    });
  }
  // An http message is no instance of Writable.
  if (typeof (stream as Partial<Writable> | null | undefined)?.write !== 'function') {
    throw argTypeError('stream', 'an instance of Writable', stream);
  }
  return sendFileByStream(stream, file, options);
}
