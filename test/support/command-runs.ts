/** Where the commands that a file's tests run put their temporary files, and what they leave of them. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

export interface RunsFolder {
  readonly path: string;
  /** Names in it that begin so. */
  leftovers(prefix: string): string[];
}

/** A folder of this file's tests alone, for a command's TMPDIR: what is left in it is of them. */
export function folderForRuns(): RunsFolder {
  let path = '';
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
  });
  afterAll(() => {
    rmSync(path, { recursive: true });
  });
  return {
    get path() {
      return path;
    },
    leftovers: (prefix) => readdirSync(path).filter((name) => name.startsWith(prefix)),
  };
}

/** Other processes' lives have no events here, and whoever looks all the time keeps the processor from them. */
const LOOK_MILLIS = 10;

/** Looks again and again: the test's time limit is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
}
