/** However a run of demonstrations ends, it leaves no process and no file behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { driven } from './support/overloads.js';
import { requireOrSkip } from './support/requirements.js';
import { cleanup, temporaryDirectory } from './support/sockets.js';

const nginx = requireOrSkip('nginx');
const index = fileURLToPath(new URL('../dist/bench/cost/overload/index.js', import.meta.url));
const PATIENCE = { timeout: 10_000 };

/** Command lines of all processes that have to do with a folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        // It has ended meanwhile.
        return '';
      }
    })
    .filter((line) => line.includes(folder));
}

describe.skipIf(nginx === undefined || process.platform !== 'linux')('nothing is left', () => {
  it('of a run that is ended', async () => {
    const abort = new AbortController();
    const reason = new Error('ended');
    const folder = temporaryDirectory();
    let before: string[] = [];
    const running = driven('queue-unix', nginx, {
      folder,
      signal: abort.signal,
      onStep(label) {
        if (!label.includes('requests a second')) return;
        before = processesOf(folder);
        abort.abort(reason);
      },
    });
    await expect(running).rejects.toBe(reason);
    // The demonstration, its application, nginx.
    expect(before.length).toBeGreaterThanOrEqual(3);
    expect(readdirSync(folder)).toEqual([]);
    await expect.poll(() => processesOf(folder), PATIENCE).toEqual([]);
  });

  it('of a run whose process is killed', async () => {
    const folder = join(temporaryDirectory(), 'runs');
    mkdirSync(folder);
    const program = `import { runOverloads } from ${JSON.stringify(index)};
      await runOverloads({
        programs: new Map([['nginx', { file: ${JSON.stringify(nginx)} }]]),
        folder: process.argv[1],
        signal: new AbortController().signal,
        onProgress: (label) => label.includes('requests a second') && console.log(label),
        only: ['queue-unix'],
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanup(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    expect(processesOf(folder).length).toBeGreaterThanOrEqual(4);
    child.kill('SIGKILL');
    await expect.poll(() => processesOf(folder), PATIENCE).toEqual([]);
    await expect.poll(() => existsSync(join(folder, 'queue-unix')), PATIENCE).toBe(false);
  });
});
