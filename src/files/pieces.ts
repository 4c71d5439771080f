/** Reads or writes files piece by piece in the thread pool, where the kernel cannot move their bytes by itself. */
import * as fs from 'node:fs';
import { fileTruncatedError } from '../errors/index.js';
import type { OpenFile } from './open.js';

type Next = (error?: Error | null) => void;

/** Takes a piece, which it may keep, and then requests the next one, or passes the error that ends the reading. */
export type TakePiece = (piece: Buffer, next: Next) => void;

/** Reads a part of a file, one piece at a time, and closes the file. */
export class FileReader {
  private readonly file: OpenFile;
  private readonly pieceBytes: number;
  private position: number;
  private left: number;
  /** The thread pool is using the descriptor. */
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

  /** Calls `take` with each piece, then `done` once. It is an error if the file ends early. */
  pump(take: TakePiece, done: (error: Error | null) => void): void {
    if (this.left === 0) {
      done(null);
      return;
    }
    const size = Math.min(this.left, this.pieceBytes);
    this.reading = true;
    // Each piece has memory of its own: its receiver holds it until it is sent.
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

  /** Closes the file, or does so once no read is in progress. Safe at any time, and repeatedly. */
  close(): void {
    this.closed = true;
    if (!this.reading) this.file.close();
  }
}

/**
 * Writes all of `bytes` at `position`, or at the file's own position if that is null. Calls `written` for each part
 * that is in the file.
 */
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
