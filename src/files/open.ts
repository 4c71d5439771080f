/** What `sendFile` takes, on every transport: its arguments, their checks, and its errors. */
import type { FileHandle } from 'node:fs/promises';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { argTypeError, fileError, outOfRangeError } from '../errors/index.js';
import { checkFunction, checkNoNul } from '../config/options.js';

/** For reading. A named pipe, which is no file to send, must not wait for its writer. */
export const OPEN_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY;

const ESPIPE = -constants.errno.ESPIPE;

/**
 * A path, or an open file: a FileHandle or a descriptor, which stays its owner's and may be closed once `sendFile` has
 * returned. A regular file or a block device.
 */
export type SentFile = string | FileHandle | number;

/** Options of `sendFile()` of sockets, channels and streams. */
export interface SendFileOptions {
  /** Where to begin, in bytes from the start of the file. Default 0. An open file's own position is left alone. */
  offset?: number | undefined;
  /** Bytes to send. Default: all from `offset` to the end that the file has now. A block device needs it. */
  length?: number | undefined;
  /**
   * Ends it early, with an AbortError. What has not begun to leave is taken back, and the connection lives on; if some of
   * the file has gone, the connection is destroyed, since the rest can't be left out.
   */
  signal?: AbortSignal | undefined;
}

/** Called once: without an error when the kernel has taken all of the file. */
export type SendFileCallback = (error?: Error | null) => void;

/** What sends files in their turn among its writes. */
export interface FileSender {
  /**
   * Sends a file, or a part of it, in its turn among the writes. On a native socket of Linux it goes by reference: its
   * bytes are never copied to this process. Counts in `bytesWritten`, `writableLength` and for 'drain' as a write of that
   * many bytes does; all of a file that can't be opened at once counts as nothing until it is.
   *
   * Calls back, or resolves, when the kernel has taken all of it. What is wrong with the file is told there (node:fs's
   * errors, ERR_OUT_OF_RANGE for a range that it does not have), and the connection lives on, without the file. A file
   * that turns out shorter under way destroys the connection with ERR_NEARWIRE_FILE_TRUNCATED. Wrong arguments throw, or
   * reject the promise.
   *
   * By reference means that what a peer has not read yet is the file's own pages, as with every server that uses
   * sendfile(2): a file that is written to or cut short in place changes there too, and this can come after the call back.
   * Replace files by renaming a new one over them.
   */
  sendFile(file: SentFile, options?: SendFileOptions): Promise<void>;
  /** The same with a callback. Wrong arguments throw. */
  sendFile(file: SentFile, callback: SendFileCallback): undefined;
  /** The same with options and a callback. Wrong arguments throw. */
  sendFile(file: SentFile, options: SendFileOptions | undefined, callback: SendFileCallback): undefined;
}

/** The arguments of one call, checked. */
export interface SendFileCall {
  /** The path, or the descriptor. */
  file: string | number;
  offset: number;
  /** undefined: to the end. */
  length: number | undefined;
  signal: AbortSignal | undefined;
}

export function isHandle(file: unknown): file is FileHandle {
  return typeof file === 'object' && file !== null && typeof (file as { fd?: unknown }).fd === 'number';
}

function checkFile(file: unknown): string | number {
  if (typeof file === 'string') {
    checkNoNul(file, 'file');
    return file;
  }
  if (isHandle(file)) return file.fd;
  if (typeof file !== 'number')
    throw argTypeError('file', 'of type string or number or an instance of FileHandle', file);
  if (!Number.isInteger(file) || file < 0 || file > 2 ** 31 - 1) {
    throw outOfRangeError('file', '>= 0 && <= 2147483647', file);
  }
  return file;
}

function checkBytes(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw argTypeError(name, 'of type number', value);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw outOfRangeError(name, `an integer >= 0 && <= ${String(Number.MAX_SAFE_INTEGER)}`, value);
  }
  return value;
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
    throw argTypeError('options.signal', 'an instance of AbortSignal', signal);
  }
  return signal as AbortSignal;
}

function checkCall(file: unknown, options: unknown): SendFileCall {
  const checked = checkFile(file);
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw argTypeError('options', 'of type object', options);
  }
  const { offset, length, signal } = (options ?? {}) as Record<string, unknown>;
  return {
    file: checked,
    offset: checkBytes(offset, 'options.offset') ?? 0,
    length: checkBytes(length, 'options.length'),
    signal: checkSignal(signal),
  };
}

/**
 * Reads the arguments behind the file, `(options?, callback?)`, and calls `begin` with them. Without a callback answers a
 * promise. What is wrong with them throws, or rejects the promise.
 */
export function withSendFileArguments(
  file: unknown,
  options: unknown,
  callback: unknown,
  begin: (call: SendFileCall, done: (error: Error | null) => void) => void,
): Promise<void> | undefined {
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  if (callback !== undefined) {
    checkFunction(callback, 'callback');
    begin(checkCall(file, options), callback as unknown as (error: Error | null) => void);
    return undefined;
  }
  return new Promise((resolve, reject) => {
    begin(checkCall(file, options), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** The number of bytes that a call asks for of a file of `size` bytes; what is not there is an Error. */
export function lengthWithin(call: SendFileCall, size: number | undefined): number | Error {
  const { offset, length } = call;
  if (size === undefined) {
    return length ?? fileError(ESPIPE, 'open', call.file, 'a length is needed where the file has no size');
  }
  if (offset > size) return outOfRangeError('options.offset', `<= ${String(size)}, the size of the file`, offset);
  if (length !== undefined && length > size - offset) {
    return outOfRangeError(
      'options.length',
      `<= ${String(size - offset)}, what the file has behind the offset`,
      length,
    );
  }
  return length ?? size - offset;
}
