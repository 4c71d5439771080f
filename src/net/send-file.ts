/** `sendFile` for every stream: by reference if the stream can, otherwise by reading the file piece by piece. */
import type { Writable } from 'node:stream';
import { argTypeError } from '../errors/index.js';
import { beginSendFile, type FileSource, type SendFileOptions } from '../files/options.js';
import { sendFileNatively } from './file-chunk.js';
import { NativeSocket } from './socket.js';
import { sendFileByStream } from '../files/stream-file.js';

/**
 * Sends a file, or a part of it, to a stream, as `socket.sendFile` does. A native socket sends it by reference. To any
 * other Writable the file's contents are written, no faster than it accepts them, and in order with other writes. An
 * http message is written to piece by piece: other writes before the promise has settled end up between the pieces.
 */
export async function sendFile(stream: Writable, file: FileSource, options?: SendFileOptions): Promise<number> {
  if (stream instanceof NativeSocket) {
    return beginSendFile(file, options, (call, done) => {
      sendFileNatively(stream, call, done);
    });
  }
  // An http message is not an instance of Writable.
  if (typeof (stream as Partial<Writable> | null | undefined)?.write !== 'function') {
    throw argTypeError('stream', 'an instance of Writable', stream);
  }
  return sendFileByStream(stream, file, options);
}
