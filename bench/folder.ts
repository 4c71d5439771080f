/** A folder for what a run puts down: socket files, and the bodies that are served. */
import { mkdtempSync, rmSync } from 'node:fs';
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
  const folder = makeFolder(prefix, longestName);
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

function makeFolder(prefix: string, longestName: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  if (Buffer.byteLength(join(folder, longestName)) <= LONGEST_SOCKET_PATH) return folder;
  rmSync(folder, { recursive: true });
  return mkdtempSync(join('/tmp', prefix));
}
