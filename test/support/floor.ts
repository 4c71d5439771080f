/** The plain C program of the benchmark, as tests run it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { findFloor } from '../../bench/floor.js';
import { cleanup, socketPath } from './sockets.js';

export function startFloor(words: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(findFloor() ?? '', words, { stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Serves until the test is over, and is to end well then. Its socket. */
export async function serveByFloor(name: string, ...words: readonly string[]): Promise<string> {
  const path = socketPath('floor.sock');
  const child = startFloor(['serve', '--case', name, '--family', 'unix', '--address', path, ...words]);
  const exited = once(child, 'close');
  cleanup(async () => {
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
  });
  await once(child.stdout, 'data');
  return path;
}
