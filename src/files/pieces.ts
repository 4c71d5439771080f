/** Files that are read or written piece by piece, in the thread pool, where the kernel can't move their bytes by itself. */
import * as fs from 'node:fs';
import { fileTruncatedError } from '../errors/index.js';
import type { OpenFile } from './open.js';

type Next = (error?: Error | null) => void;

/** Takes a piece, which is its own to keep, and asks for the next one, or says what ends the reading. */
export type TakePiece = (piece: Buffer, next: Next) => void;

/** Reads a part of a file, one piece at a time, and closes the file. */
export class FileReader {
  private readonly file: OpenFile;
  private readonly pieceBytes: number;
  private position: number;
  private left: number;
  /** The pool has the descriptor. */
  private reading = false;
  private closed = false;

  constructor(file: OpenFile, start: number, length: number, pieceBytes: number) {
    this.file = file;
    this.position = start;
    this.left = length;
    this.pieceBytes = pieceBytes;
  }

  /** Whether all of it has been read. */
  get complete(): boolean {
    return this.left === 0;
  }

  /** Has `take` called with each piece, then `done` once. A file that ends before is an error. */
  pump(take: TakePiece, done: (error: Error | null) => void): void {
    if (this.left === 0) {
      done(null);
      return;
    }
    const size = Math.min(this.left, this.pieceBytes);
    this.reading = true;
    // Memory of its own each time: whoever takes the piece holds it until it is sent.
    fs.read(this.file.fd, Buffer.allocUnsafeSlow(size), 0, size, this.position, (error, count, piece) => {
      this.reading = false;
      if (this.closed) this.file.close();
      if (error !== null || count === 0) {
        done(error ?? fileTruncatedError());
        return;
      }
      this.position += count;
      this.left -= count;
      take(count === size ? piece : piece.subarray(0, count), (failure) => {
        if (failure) done(failure);
        else this.pump(take, done);
      });
    });
  }

  /** As soon as no read is under way. Safe at any time, and twice. */
  close(): void {
    this.closed = true;
    if (!this.reading) this.file.close();
  }
}

/** Writes all of `bytes` at `position`, null: the file's own. `written` is called for each part that is in the file. */
export function writeAll(
  fd: number,
  bytes: Uint8Array,
  position: number | null,
  written: (count: number) => void,
  done: (error: Error | null) => void,
): void {
  fs.write(fd, bytes, 0, bytes.length, position, (error, count) => {
    if (error !== null) {
      done(error);
      return;
    }
    written(count);
    if (count === bytes.length) done(null);
    else writeAll(fd, bytes.subarray(count), position === null ? null : position + count, written, done);
  });
}
