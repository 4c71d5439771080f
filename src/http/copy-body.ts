/** The path by copy: a part of a file, read and written to a response piece by piece, at its reader's pace. */
import type { ServerResponse } from 'node:http';
import { prematureCloseError } from '../errors/index.js';
import type { OpenFile } from '../files/open.js';
import { FileReader } from '../files/pieces.js';

/** What createReadStream reads at a time. */
const PIECE_BYTES = 64 * 1024;

/**
 * Writes this part of the file by `response.write()`, which a middleware may have replaced. Calls back when nothing more
 * is read: with null when all has been written, else with what went wrong.
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
      // Once for the whole body: a middleware that has put a stream of its own in between keeps what it is given.
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
