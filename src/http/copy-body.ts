/** The copying path: a part of a file is read and written to a response piece by piece, as fast as the client reads. */
import type { ServerResponse } from 'node:http';
import { prematureCloseError } from '../errors/index.js';
import type { OpenFile } from '../files/open.js';
import { FileReader } from '../files/pieces.js';

/** The size of createReadStream's reads. */
const PIECE_BYTES = 64 * 1024;

/**
 * Writes this part of the file with `response.write()`, which a middleware may have replaced. Calls back when nothing
 * more is read: with null when all has been written, otherwise with the error.
 */
export function copyBody(
  response: ServerResponse,
  file: OpenFile,
  offset: number,
  length: number,
  callback: (error: Error | null) => void,
): void {
  let goOn: ((error: Error | null) => void) | undefined;
  let listening = false;
  const wake = (): void => {
    const next = goOn;
    goOn = undefined;
    next?.(response.destroyed ? prematureCloseError() : null);
  };
  new FileReader(file, offset, length, PIECE_BYTES).pump(
    (piece, next) => {
      goOn = next;
      if (response.destroyed || response.write(piece)) {
        wake();
        return;
      }
      if (listening) return;
      // Added once for the whole body: a middleware that has inserted a stream of its own keeps the listeners it is
      // given.
      listening = true;
      response.on('drain', wake);
      response.on('close', wake);
    },
    (error) => {
      response.removeListener('drain', wake);
      response.removeListener('close', wake);
      callback(error);
    },
  );
}
