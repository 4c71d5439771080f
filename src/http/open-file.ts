/** The file behind an answer: opened, looked at, and closed by whoever opened it. */
import * as fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { constants } from 'node:os';
import { argTypeError, fileError, notAFileError } from '../errors.js';
import { checkWhole } from '../options.js';

/** A path, or something open, which stays its owner's: it is read by position and not closed. */
export type FileSource = string | FileHandle | number;

/** Where the file can be read, and what was known of it when it was opened. Sizes in bytes, times in milliseconds. */
export interface OpenFile {
  readonly fd: number;
  readonly size: number;
  /** Whole seconds. */
  readonly modified: number;
  close(): void;
}

export type OpenCallback = (error: Error | null, file?: OpenFile) => void;

const MAX_DESCRIPTOR = 2 ** 31 - 1;

/** A FIFO would have us wait for its writer. */
const { O_RDONLY, O_NONBLOCK, S_IFMT, S_IFREG, S_IFDIR } = fs.constants;
const { EISDIR } = constants.errno;

function isHandle(file: unknown): file is FileHandle {
  return typeof file === 'object' && file !== null && typeof (file as FileHandle).fd === 'number';
}

/** Throws unless this names a file; whether there is one is told by `openFile`. */
export function checkFile(file: unknown, name = 'file'): asserts file is FileSource {
  if (typeof file === 'number') checkWhole(file, name, 0, MAX_DESCRIPTOR);
  else if (typeof file !== 'string' && !isHandle(file)) {
    throw argTypeError(name, 'of type string or number or an instance of FileHandle', file);
  }
}

function nothing(): void {
  // It is its owner's to close.
}

function look(fd: number, path: string | undefined, close: () => void): OpenFile {
  // Of a file that has just been opened this waits for nothing, where the thread pool would cost ten times as much.
  const { mode, size, mtimeMs } = fs.fstatSync(fd);
  const kind = mode & S_IFMT;
  if (kind !== S_IFREG) throw kind === S_IFDIR ? fileError(-EISDIR, 'read', path) : notAFileError(path);
  return { fd, size, modified: Math.floor(mtimeMs / 1000) * 1000, close };
}

function lookAt(fd: number, path: string | undefined, callback: OpenCallback): void {
  const close =
    path === undefined
      ? nothing
      : (): void => {
          // Of a file that was only read, this does not wait for a disk.
          fs.closeSync(fd);
        };
  let file: OpenFile;
  try {
    file = look(fd, path, close);
  } catch (error) {
    close();
    callback(error as Error);
    return;
  }
  callback(null, file);
}

/** Opens a path, or looks at what is open. Calls back later in any case. */
export function openFile(source: FileSource, callback: OpenCallback): void {
  if (typeof source !== 'string') {
    process.nextTick(lookAt, typeof source === 'number' ? source : source.fd, undefined, callback);
    return;
  }
  fs.open(source, O_RDONLY | O_NONBLOCK, (error, fd) => {
    if (error === null) lookAt(fd, source, callback);
    else callback(error);
  });
}
