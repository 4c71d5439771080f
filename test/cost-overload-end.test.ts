/** However a run of demonstrations ends, it leaves no process and no file behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { driven, runsFolder } from './support/overloads.js';
import { requireOrSkip } from './support/requirements.js';
import { cleanup } from './support/sockets.js';

const nginx = requireOrSkip('nginx');
const PATIENCE = { timeout: 10_000 };

function fileOf(name: string): string {
  return fileURLToPath(new URL(`../dist/bench/cost/${name}`, import.meta.url));
}

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
    const folder = runsFolder();
    let before: string[] = [];
    const running = driven('queue-unix', {
      signal: abort.signal,
      onStep(label) {
        if (!label.includes('requests a second')) return;
        before = processesOf(folder);
        abort.abort();
      },
    });
    expect(await running).toMatchObject({ overloads: [], failures: [], leftOut: [] });
    // The application and nginx.
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect(readdirSync(folder)).toEqual([]);
    expect(processesOf(folder)).toEqual([]);
  });

  it('of a run whose process is killed', async () => {
    const folder = runsFolder();
    const program = `import { runOverloads } from ${JSON.stringify(fileOf('overload/index.js'))};
      import { findPrograms } from ${JSON.stringify(fileOf('programs.js'))};
      await runOverloads({
        programs: await findPrograms(),
        signal: new AbortController().signal,
        onProgress: (label) => label.includes('requests a second') && console.log(label),
        only: ['queue-unix'],
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanup(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    expect(processesOf(folder).length).toBeGreaterThanOrEqual(2);
    child.kill('SIGKILL');
    await expect.poll(() => processesOf(folder), PATIENCE).toEqual([]);
    await expect.poll(() => readdirSync(folder), PATIENCE).toEqual([]);
  });
});
