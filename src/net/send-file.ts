/** `sendFile` for every stream: by reference where the stream can, else by reading the file piece by piece. */
import type { Writable } from 'node:stream';
import { withSendFileArguments, type SendFileCallback, type SendFileOptions, type SentFile } from '../files/open.js';
import { sendFileNatively } from './file-chunk.js';
import { NativeSocket } from './socket.js';
import { sendFileByStream } from '../files/stream-file.js';

/**
 * Sends a file, or a part of it, to a stream, as `socket.sendFile` does: a native socket sends it by reference, any other
 * Writable is given what is read of the file, no faster than it takes it, and in its turn among the writes. An http
 * message is written to piece by piece: what is written to it before this has called back comes between the pieces.
 */
export function sendFile(stream: Writable, file: SentFile, options?: SendFileOptions): Promise<void>;
export function sendFile(stream: Writable, file: SentFile, callback: SendFileCallback): undefined;
export function sendFile(
  stream: Writable,
  file: SentFile,
  options: SendFileOptions | undefined,
  callback: SendFileCallback,
): undefined;
export function sendFile(
  stream: Writable,
  file: SentFile,
  options?: SendFileOptions | SendFileCallback,
  callback?: SendFileCallback,
): Promise<void> | undefined {
  if (!(stream instanceof NativeSocket)) return sendFileByStream(stream, file, options, callback);
  return withSendFileArguments(file, options, callback, (call, done) => {
    sendFileNatively(stream, call, done);
  });
}
