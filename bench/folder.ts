/** A folder for what a run puts down: socket files, and the bodies that are served. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The room for a path in `sockaddr_un`, less the NUL. */
export const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * Does this with a folder that is gone afterwards, however it ends. Its path leaves room for the longest name of a socket
 * that is put into it.
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
  // For an end that no `finally` sees.
  process.on('exit', remove);
  try {
    return await work(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** Where there is none yet: a path that leaves room for this name, and that no configuration file has to put in quotes. */
export function newFolder(prefix: string, longestName: string): string {
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  const usual = join(tmpdir(), name);
  const fits = Buffer.byteLength(join(usual, longestName)) <= LONGEST_SOCKET_PATH && /^[\w/.+-]+$/.test(usual);
  return fits ? usual : join('/tmp', name);
}
