/** Files to be sent, for tests, and the descriptors that are open. */
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readdirSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pattern, temporaryDirectory } from './sockets.js';

/** When the files of `makeFile` were last written, as they say: long ago, so that their validators are strong ones. */
export const LONG_AGO = new Date('2020-01-01T00:00:00Z');

export interface TestFile {
  path: string;
  bytes: Buffer;
}

/** A file of so many bytes, each in its own place. */
export function testFile(length: number, seed = 7): TestFile {
  const path = join(temporaryDirectory(), 'file.bin');
  const bytes = pattern(length, seed);
  writeFileSync(path, bytes);
  return { path, bytes };
}

/** A file of this many bytes, as good as old. */
export function makeFile(size: number, seed = 1): TestFile {
  const file = testFile(size, seed);
  utimesSync(file.path, LONG_AGO, LONG_AGO);
  return file;
}

/** The options that send `length` bytes from `start` on. None are what lies behind the end of any file. */
export function rangeOf(start: number, length: number): { start: number; end?: number } {
  return length === 0 ? { start: Number.MAX_SAFE_INTEGER } : { start, end: start + length - 1 };
}

/** Has the system forget what it holds of the file in memory, where it can be told to. */
export function chill(path: string): void {
  const fd = openSync(path, 'r+');
  fsyncSync(fd);
  closeSync(fd);
  // GNU dd: no bytes are copied, and the cache of all the file is dropped.
  if (process.platform === 'linux') execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
}

/** How many idle pipes the native path keeps for the next splice (`kMaxIdle` in native/pipe_pool.h). */
const IDLE_PIPES = 16;

/** How many descriptors this process has, but for pipes: those stay open for the next splice, as many as were needed. */
export function descriptors(): number {
  return openOnes().filter((target) => !target.startsWith('pipe:')).length;
}

/** How many pipes there may be once nothing is spliced, with so many before. */
export function pipesAtRest(before: number): number {
  return before + IDLE_PIPES;
}

/** How many pipes this process has, both of whose ends are open. */
export function pipes(): number {
  const ends = openOnes().filter((target) => target.startsWith('pipe:'));
  return ends.length - new Set(ends).size;
}

/** What each descriptor stands for, on Linux; elsewhere nothing is spliced, and they are but counted. */
function openOnes(): string[] {
  if (process.platform !== 'linux') return readdirSync('/dev/fd');
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // That of the listing itself.
    }
  });
}

/**
 * Resolves with the number of descriptors when there are as many as before: what the thread pool has been asked to open or
 * close takes a moment. The number is the one that was looked at: another count may meet a file that is only being opened.
 */
export async function descriptorsBack(before: number): Promise<number> {
  const patience = Date.now() + 5000;
  await poolPassed();
  for (;;) {
    const left = descriptors();
    if (left <= before) return left;
    // What is too many names itself: a count leads nowhere.
    if (Date.now() > patience) {
      throw new Error(`${String(left)} descriptors where ${String(before)} were: ${openOnes().join(', ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The pool has begun what it was asked before, and what followed that: a file is opened, looked at, then closed. */
async function poolPassed(): Promise<void> {
  const steps = 3;
  const manyThreads = 16;
  for (let step = 0; step < steps; step++) {
    await Promise.all(Array.from({ length: manyThreads }, () => stat('.')));
  }
}

/** What a promise fails with; undefined if it does not. To be asked for at once: nothing goes unhandled. */
export function failure(promise: Promise<unknown> | undefined): Promise<NodeJS.ErrnoException | undefined> {
  return Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error as NodeJS.ErrnoException,
  );
}
