/** A folder for the files of a run: sockets, and the bodies to be served. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The size of `sockaddr_un`'s path, without the NUL. */
export const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * Runs `work` with a folder that is removed afterwards, however it ends. Its path leaves room for the longest name of a
 * socket in it.
 */
export async function withFolder<Result>(
  prefix: string,
  longestName: string,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = newFolder(prefix, longestName);
  mkdirSync(folder, { mode: 0o700 });
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  // For an exit that skips `finally`.
  process.on('exit', remove);
  try {
    return await work(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** The path of a new folder: it leaves room for this name, and needs no quotes in a configuration file. */
export function newFolder(prefix: string, longestName: string): string {
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  const usual = join(tmpdir(), name);
  const fits = Buffer.byteLength(join(usual, longestName)) <= LONGEST_SOCKET_PATH && /^[\w/.+-]+$/.test(usual);
  return fits ? usual : join('/tmp', name);
}
