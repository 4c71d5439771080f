/** Finds installed programs. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** Folders that many users do not have on their PATH. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin', '/opt/homebrew/bin'];

/** Whether this user may run the file, which may not exist. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The program named by the environment variable, or otherwise the first of these names that exists, in `first` or on
 * the PATH.
 */
export function findProgram(
  variable: string,
  names: readonly string[],
  first: readonly string[] = [],
): string | undefined {
  const named = process.env[variable];
  if (named !== undefined) return isExecutable(named) ? resolve(named) : undefined;
  const folders = [...first, ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...MORE_FOLDERS];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}
