/**
 * The file of a listening UNIX socket: the process that made it removes it, and only while it is still the same file.
 */
import { chmodSync, lstatSync, statSync, unlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { CHMOD_REPLACES_MODE } from '../runtime/version.js';

export class SocketFile {
  private constructor(
    private readonly path: string,
    private readonly device: bigint,
    private readonly inode: bigint,
  ) {}

  /** Records the file just bound; undefined for an abstract name, or if the file is already gone. */
  static of(path: string): SocketFile | undefined {
    if (path.startsWith('\0')) return undefined;
    // The working directory may change until the file is removed.
    const absolute = resolve(path);
    const stat = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : new SocketFile(absolute, stat.dev, stat.ino);
  }

  /** Sets these mode bits, or adds them, as libuv does. Returns 0 or a negative errno. */
  allow(bits: number): number {
    try {
      chmodSync(this.path, CHMOD_REPLACES_MODE ? bits : statSync(this.path).mode | bits);
      return 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).errno ?? -constants.errno.EPERM;
    }
  }

  /** Removes the file, unless another process has bound the path since: node:net would delete that process's file. */
  remove(): void {
    try {
      const stat = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
      if (stat !== undefined && stat.dev === this.device && stat.ino === this.inode) unlinkSync(this.path);
    } catch {
      // The directory has become inaccessible: a server that closes can do nothing about it.
    }
  }
}
