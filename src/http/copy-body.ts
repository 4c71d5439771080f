/** The path by copy: a part of a file, read and written to a response piece by piece, at its reader's pace. */
import * as fs from 'node:fs';
import type { ServerResponse } from 'node:http';
import { fileTruncatedError } from '../errors/index.js';

/** What createReadStream reads at a time. */
const PIECE_BYTES = 64 * 1024;

class BodyCopy {
  private waiting = false;
  private listening = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly fd: number,
    private at: number,
    private readonly end: number,
    private readonly callback: (error: Error | null) => void,
  ) {}

  readNext(): void {
    const { response, fd, at, end } = this;
    if (response.destroyed || at === end) {
      this.finish(null);
      return;
    }
    const size = Math.min(PIECE_BYTES, end - at);
    // Memory of its own each time: the response holds it until it is sent.
    fs.read(fd, Buffer.allocUnsafeSlow(size), 0, size, at, this.onRead);
  }

  private readonly onRead = (error: Error | null, count: number, piece: Buffer): void => {
    const { response } = this;
    if (error !== null || count === 0) {
      this.finish(error ?? fileTruncatedError());
      return;
    }
    this.at += count;
    if (response.destroyed || response.write(count === piece.length ? piece : piece.subarray(0, count))) {
      this.readNext();
      return;
    }
    this.waiting = true;
    if (this.listening) return;
    // Once for the whole body: a middleware that has put a stream of its own in between keeps what it is given.
    this.listening = true;
    response.on('drain', this.goOn);
    response.on('close', this.goOn);
  };

  private readonly goOn = (): void => {
    if (!this.waiting) return;
    this.waiting = false;
    this.readNext();
  };

  private finish(error: Error | null): void {
    this.response.removeListener('drain', this.goOn);
    this.response.removeListener('close', this.goOn);
    this.callback(error);
  }
}

/**
 * Writes this part of the file by `response.write()`, which a middleware may have replaced. Calls back when nothing more
 * is read: with null when all has been written or the response has been closed under it, else with what went wrong.
 */
export function copyBody(
  response: ServerResponse,
  fd: number,
  offset: number,
  length: number,
  callback: (error: Error | null) => void,
): void {
  new BodyCopy(response, fd, offset, offset + length, callback).readNext();
}
