/** The file of a listening UNIX socket: removed by whoever made it, and only while it is still the same file. */
import { lstatSync, unlinkSync } from 'node:fs';

export class SocketFile {
  private constructor(
    private readonly path: string,
    private readonly device: bigint,
    private readonly inode: bigint,
  ) {}

  /** Remembers the file just bound; undefined for an abstract name, and where the file is gone already. */
  static of(path: string): SocketFile | undefined {
    if (path.startsWith('\0')) return undefined;
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : new SocketFile(path, stat.dev, stat.ino);
  }

  /** Removes it, unless another process has bound the path since: node:net would delete that one's file. */
  remove(): void {
    try {
      const stat = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
      if (stat !== undefined && stat.dev === this.device && stat.ino === this.inode) unlinkSync(this.path);
    } catch {
      // A directory that was made inaccessible since: nothing left to do for a server that closes.
    }
  }
}
