/**
 * The file behind an answer: opened, looked at, and closed again. With an engine it is the engine that opens it, which
 * asks the thread pool only where a disk may be needed; else node:fs does.
 */
import * as fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Engine } from '../engine/engine.js';
import { argTypeError, fileError } from '../errors/index.js';
import { isHandle } from '../files/open.js';
import { checkNoNul, checkWhole } from '../config/options.js';

/** A path, or something open, which stays its owner's: it is read by position and not closed. */
export type FileSource = string | FileHandle | number;

/** What is known of a file as it was opened. Sizes in bytes, times in milliseconds. */
export interface OpenFile {
  /** To read it by. */
  readonly fd: number;
  /** The engine's number for it, to send it by reference; -1: none. */
  readonly engineFile: number;
  readonly size: number;
  /** Whole seconds. */
  readonly modified: number;
  /** More than once is no harm. */
  close(): void;
}

export type OpenCallback = (error: Error | null, file?: OpenFile) => void;

const MAX_DESCRIPTOR = 2 ** 31 - 1;

const { O_RDONLY, O_NONBLOCK, O_NOCTTY, S_IFMT, S_IFREG, S_IFDIR } = fs.constants;
/** A named pipe would have the thread pool wait for its writer. */
const HOW = O_RDONLY | O_NONBLOCK | O_NOCTTY;

const { EAGAIN, EISDIR, ESPIPE } = constants.errno;

/** Throws unless this names a file; whether there is one is told by `openFile`. */
export function checkFile(file: unknown): asserts file is FileSource {
  if (typeof file === 'string') checkNoNul(file, 'file');
  else checkOpenFile(file, 'file', 'of type string or number or an instance of FileHandle');
}

/** The same of what is open. */
export function checkOpenFile(
  file: unknown,
  name: string,
  expected = 'of type number or an instance of FileHandle',
): asserts file is FileHandle | number {
  if (typeof file === 'number') checkWhole(file, name, 0, MAX_DESCRIPTOR);
  else if (!isHandle(file)) throw argTypeError(name, expected, file);
}

function errorOf(errno: number, source: FileSource): Error {
  return fileError(errno, 'open', typeof source === 'object' ? source.fd : source);
}

class EngineFile implements OpenFile {
  readonly size: number;
  private open = true;
  readonly modified: number;

  constructor(
    private readonly engine: Engine,
    readonly engineFile: number,
  ) {
    this.size = engine.native.fileSize(engineFile);
    this.modified = engine.native.fileModified(engineFile) * 1000;
  }

  get fd(): number {
    return this.engine.native.fileSource(this.engineFile);
  }

  close(): void {
    // Its number may be another's by now.
    if (this.open) this.engine.native.closeFile(this.engineFile);
    this.open = false;
  }
}

/** Of a path, or of a descriptor, which the engine then has one of its own of. */
function openByEngine(engine: Engine, named: string | number, source: FileSource): OpenFile | Error {
  const id = engine.native.openFile(named);
  if (id < 0) return errorOf(id, source);
  const file = new EngineFile(engine, id);
  if (file.size >= 0) return file;
  // A block device has no size to tell.
  file.close();
  return errorOf(-ESPIPE, source);
}

function tell(callback: OpenCallback, opened: OpenFile | Error): void {
  if (opened instanceof Error) callback(opened);
  else callback(null, opened);
}

/** Opens a path, or looks at what is open, by the engine. Calls back later in any case. */
export function openForEngine(engine: Engine, source: FileSource, callback: OpenCallback): void {
  const named = typeof source === 'object' ? source.fd : source;
  const opened = openByEngine(engine, named, source);
  if (!(opened instanceof Error) || (opened as NodeJS.ErrnoException).errno !== -EAGAIN || typeof source !== 'string') {
    process.nextTick(tell, callback, opened);
    return;
  }
  fs.open(source, HOW, (error, fd) => {
    if (error !== null) {
      callback(error);
      return;
    }
    const again = openByEngine(engine, fd, source);
    fs.closeSync(fd);
    tell(callback, again);
  });
}

class DescriptorFile implements OpenFile {
  readonly engineFile = -1;

  constructor(
    readonly fd: number,
    readonly size: number,
    readonly modified: number,
    private owned: boolean,
  ) {}

  close(): void {
    // Of a file that was only read, this does not wait for a disk.
    if (this.owned) fs.closeSync(this.fd);
    this.owned = false;
  }
}

function lookAt(fd: number, source: FileSource, callback: OpenCallback): void {
  const owned = typeof source === 'string';
  let opened: OpenFile | Error;
  try {
    // Of a file that is open this waits for nothing, and the thread pool would cost ten times as much.
    const { mode, size, mtimeMs } = fs.fstatSync(fd);
    const kind = mode & S_IFMT;
    if (kind !== S_IFREG) throw errorOf(kind === S_IFDIR ? -EISDIR : -ESPIPE, source);
    opened = new DescriptorFile(fd, size, Math.floor(mtimeMs / 1000) * 1000, owned);
  } catch (error) {
    if (owned) fs.closeSync(fd);
    opened = error as Error;
  }
  tell(callback, opened);
}

/** The same by node:fs. */
export function openFile(source: FileSource, callback: OpenCallback): void {
  if (typeof source !== 'string') {
    process.nextTick(lookAt, typeof source === 'number' ? source : source.fd, source, callback);
    return;
  }
  fs.open(source, HOW, (error, fd) => {
    if (error === null) lookAt(fd, source, callback);
    else callback(error);
  });
}
