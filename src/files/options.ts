/**
 * The arguments of `sendFile` and `receiveFile`, on every transport and protocol: their shapes, and their checks.
 * Unknown options are ignored, as by node's own functions.
 */
import type { FileHandle } from 'node:fs/promises';
import { constants } from 'node:os';
import { argTypeError, fileError, outOfRangeError } from '../errors/index.js';
import { checkLimit, checkNoNul, checkWhole } from '../config/options.js';
import { checkSignal, throwIfAborted } from '../config/signal.js';

const { EBADF, ESPIPE } = constants.errno;
const MAX_DESCRIPTOR = 2 ** 31 - 1;

/** An open file: a FileHandle or a descriptor. Its owner keeps it, and it is not closed. */
export type FileTarget = FileHandle | number;

/**
 * The file to send: a path, or a file that is open for reading. A regular file; on sockets and channels a block device
 * too.
 */
export type FileSource = string | FileTarget;

/** Options of `sendFile()` of sockets, channels and streams. */
export interface SendFileOptions {
  /** The first byte to send, from 0. Default 0. An open file's own position is not used or changed. */
  start?: number | undefined;
  /**
   * The last byte to send, as in fs.createReadStream: `{ start: 0, end: 9 }` is ten bytes. The range is cut at the end
   * of the file. Default: Infinity, up to the size that the file has when it is opened. A block device needs a number.
   */
  end?: number | undefined;
  /**
   * Ends it early, with an AbortError. If none of the file has been sent, it is withdrawn and the connection stays
   * open; otherwise the connection is destroyed, since the rest cannot be left out.
   */
  signal?: AbortSignal | undefined;
}

/** Options of every `receiveFile`. */
export interface FileTargetOptions {
  /** Where in the file the first byte goes, from 0. Other contents of the file are kept. */
  start?: number | undefined;
  /**
   * The maximum number of bytes before the end. One more fails with ERR_NEARWIRE_BODY_TOO_LARGE, and is not written.
   * Default: Infinity.
   */
  maxBytes?: number | undefined;
  /** Ends it with an AbortError, once the bytes already taken are in the file. */
  signal?: AbortSignal | undefined;
}

/** Objects that send files in order with their writes. */
export interface FileSender {
  /**
   * Sends a file, or a part of it, in order with other writes. On a native socket on Linux it is sent by reference: its
   * bytes are never copied to this process. It counts in `bytesWritten`, `writableLength` and for 'drain' like a write
   * of that many bytes; a file that cannot be opened at once counts as nothing until it is. An open file may be closed
   * as soon as the call has returned.
   *
   * Resolves with the number of bytes when the kernel has taken all of them. Rejects for invalid arguments, and with
   * node:fs's error for a file that cannot be opened: the connection stays open, without the file. A file that shrinks
   * while it is being sent destroys the connection with ERR_NEARWIRE_FILE_TRUNCATED.
   *
   * By reference means that data which the peer has not read yet is still in the file's own pages, as with every server
   * that uses sendfile(2): changing or truncating the file in place changes that data too, even after the promise has
   * resolved. Replace files by renaming a new one over them.
   */
  sendFile(file: FileSource, options?: SendFileOptions): Promise<number>;
}

/** The result of a call, within this package: an error, or the number of bytes. */
export type FileDone = (error: Error | null, bytes?: number) => void;

/** The checked arguments of one `sendFile`. */
export interface SendFileCall {
  /** The path, or the descriptor. */
  file: string | number;
  start: number;
  /** Inclusive; Infinity: to the end of the file. */
  end: number;
  signal: AbortSignal | undefined;
}

/** The checked arguments of one `receiveFile`. */
export interface ReceiveFileCall {
  fd: number;
  start: number | undefined;
  maxBytes: number;
  signal: AbortSignal | undefined;
}

/** A closed FileHandle has the descriptor -1, with which opening and writing fail with EBADF. */
function descriptorOf(file: unknown, expected: string): number {
  if (typeof file === 'object' && file !== null && typeof (file as Partial<FileHandle>).fd === 'number') {
    return (file as FileHandle).fd;
  }
  if (typeof file !== 'number') throw argTypeError('file', expected, file);
  checkWhole(file, 'file', 0, MAX_DESCRIPTOR);
  return file;
}

function checkObject(options: unknown): Record<string, unknown> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) throw argTypeError('options', 'of type object', options);
  return options as Record<string, unknown>;
}

function checkStart(start: unknown): asserts start is number | undefined {
  checkWhole(start, 'options.start', 0, Number.MAX_SAFE_INTEGER);
}

export function checkSendFile(file: unknown, options: unknown): SendFileCall {
  if (typeof file === 'string') checkNoNul(file, 'file');
  const named =
    typeof file === 'string' ? file : descriptorOf(file, 'of type string or number or an instance of FileHandle');
  const { start, end, signal } = checkObject(options);
  checkStart(start);
  checkLimit(end, 'options.end');
  if (start !== undefined && end !== undefined && start > end) {
    throw outOfRangeError('options.start', `<= "options.end" (here: ${String(end)})`, start);
  }
  checkSignal(signal);
  return { file: named, start: start ?? 0, end: end ?? Infinity, signal };
}

export function checkReceiveFile(file: unknown, options: unknown): ReceiveFileCall {
  const fd = descriptorOf(file, 'of type number or an instance of FileHandle');
  const { start, maxBytes, signal } = checkObject(options);
  checkStart(start);
  checkLimit(maxBytes, 'options.maxBytes');
  checkSignal(signal);
  if (fd < 0) throw fileError(-EBADF, 'write', fd);
  return { fd, start, maxBytes: maxBytes ?? Infinity, signal };
}

/** A promise for the arguments of `done`; an exception of `begin` rejects it. */
export function promiseOf(begin: (done: FileDone) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    begin((error, bytes = 0) => {
      if (error) reject(error);
      else resolve(bytes);
    });
  });
}

/** Checks the arguments of a `sendFile`, and begins unless its signal has aborted. */
export function beginSendFile(
  file: unknown,
  options: unknown,
  begin: (call: SendFileCall, done: FileDone) => void,
): Promise<number> {
  return promiseOf((done) => {
    const call = checkSendFile(file, options);
    throwIfAborted(call.signal);
    begin(call, done);
  });
}

/** How many bytes of a file of `size` to send; undefined: its size is unknown, and must not be needed. */
export function lengthWithin(call: SendFileCall, size: number): number;
export function lengthWithin(call: SendFileCall, size: number | undefined): number | Error;
export function lengthWithin({ file, start, end }: SendFileCall, size: number | undefined): number | Error {
  if (size !== undefined) return Math.max(0, Math.min(size, end + 1) - start);
  if (end !== Infinity) return end - start + 1;
  return fileError(-ESPIPE, 'open', file, 'options.end is required for a file without a size');
}
