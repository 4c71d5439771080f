/** Files for tests that serve them, and the descriptors that are open. */
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pattern, temporaryDirectory } from './sockets.js';

/** When test files were last written, as they say: long ago, so that their validators are strong ones. */
export const LONG_AGO = new Date('2020-01-01T00:00:00Z');

export interface TestFile {
  path: string;
  bytes: Buffer;
}

/** A file of this many bytes, as good as old. */
export function makeFile(size: number, seed = 1): TestFile {
  const path = join(temporaryDirectory(), 'file.bin');
  const bytes = pattern(size, seed);
  writeFileSync(path, bytes);
  utimesSync(path, LONG_AGO, LONG_AGO);
  return { path, bytes };
}

/** How many descriptors this process has open. */
export function descriptors(): number {
  return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length;
}
