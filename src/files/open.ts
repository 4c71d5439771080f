/**
 * Files to be sent: opened, checked, and closed again. If there is an engine, it opens them, and uses the thread pool
 * only where disk access may be needed; otherwise node:fs does.
 */
import * as fs from 'node:fs';
import { constants } from 'node:os';
import type { Engine } from '../engine/engine.js';
import { fileError } from '../errors/index.js';

/** For reading. Opening a named pipe, which cannot be sent, must not wait for its writer. */
const OPEN_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY;

const { EAGAIN, EBADF, EISDIR, ESPIPE } = constants.errno;

/** The properties of a file when it was opened. */
export interface OpenFile {
  /** For reading it. */
  readonly fd: number;
  /** The engine's id for sending it by reference; -1: none. */
  readonly engineFile: number;
  /** In bytes; undefined: a block device, whose size is not known. */
  readonly size: number | undefined;
  /** Modification time: milliseconds, in whole seconds. */
  readonly modified: number;
  /** May be called repeatedly. */
  close(): void;
}

export type Opened = OpenFile | Error;

/** If the thread pool opens the file, the result is passed to this callback later. */
export type OpenedLater = (opened: Opened) => void;

class EngineFile implements OpenFile {
  readonly size: number | undefined;
  private open = true;

  constructor(
    private readonly engine: Engine,
    readonly engineFile: number,
  ) {
    const size = engine.native.fileSize(engineFile);
    this.size = size < 0 ? undefined : size;
  }

  get fd(): number {
    return this.engine.native.fileSource(this.engineFile);
  }

  get modified(): number {
    return this.engine.native.fileModified(this.engineFile) * 1000;
  }

  close(): void {
    // Once closed, the id may be reused.
    if (this.open) this.engine.native.closeFile(this.engineFile);
    this.open = false;
  }
}

/** Opens a path, or a descriptor, which the engine duplicates. Returns undefined if `later` will be called. */
export function openByEngine(engine: Engine, file: string | number, later: OpenedLater): Opened | undefined {
  const id = engine.native.openFile(file);
  if (id >= 0) return new EngineFile(engine, id);
  // Looking up the name may need disk access.
  if (id !== -EAGAIN || typeof file !== 'string') return fileError(id, 'open', file);
  fs.open(file, OPEN_FLAGS, (error, fd) => {
    if (error !== null) {
      later(error);
      return;
    }
    const again = engine.native.openFile(fd);
    fs.closeSync(fd);
    later(again < 0 ? fileError(again, 'open', file) : new EngineFile(engine, again));
  });
  return undefined;
}

class DescriptorFile implements OpenFile {
  readonly engineFile = -1;

  constructor(
    readonly fd: number,
    readonly size: number | undefined,
    readonly modified: number,
    private owned: boolean,
  ) {}

  close(): void {
    // Closing a file that was only read does not wait for a disk.
    if (this.owned) fs.closeSync(this.fd);
    this.owned = false;
  }
}

/**
 * Another descriptor of an open file, so that its owner may close it. Opening its entry in the kernel's list of
 * descriptors replaces dup(2).
 */
function duplicate(fd: number): number {
  const linux = process.platform === 'linux';
  // Reopening it would make it readable.
  if (linux && isWriteOnly(fd)) throw fileError(-EBADF, 'open', fd);
  return fs.openSync(`${linux ? '/proc/self' : '/dev'}/fd/${String(fd)}`, OPEN_FLAGS);
}

function isWriteOnly(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'latin1'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & 3) === fs.constants.O_WRONLY;
}

/** `own` returns the descriptor to keep; undefined: its owner keeps it. */
function lookAt(fd: number, file: string | number, own?: (fd: number) => number): OpenFile {
  if (fd < 0) throw fileError(-EBADF, 'open', file);
  // On an open file this never blocks, and the thread pool would cost ten times as much.
  const status = fs.fstatSync(fd);
  if (!status.isFile() && !status.isBlockDevice()) {
    throw fileError(status.isDirectory() ? -EISDIR : -ESPIPE, 'open', file);
  }
  const modified = Math.floor(status.mtimeMs / 1000) * 1000;
  return new DescriptorFile(own?.(fd) ?? fd, status.isFile() ? status.size : undefined, modified, own !== undefined);
}

function attempt(open: () => OpenFile): Opened {
  try {
    return open();
  } catch (error) {
    return error as Error;
  }
}

/**
 * The same with node:fs. `lends`: the owner of a descriptor keeps it open until reading is done; otherwise a second
 * descriptor is made, which costs as much as opening the file.
 */
export function openByNode(file: string | number, lends: boolean, later: OpenedLater): Opened | undefined {
  if (typeof file === 'number') return attempt(() => lookAt(file, file, lends ? undefined : duplicate));
  fs.open(file, OPEN_FLAGS, (error, fd) => {
    if (error !== null) {
      later(error);
      return;
    }
    const opened = attempt(() => lookAt(fd, file, (own) => own));
    if (opened instanceof Error) fs.closeSync(fd);
    later(opened);
  });
  return undefined;
}
