import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { runCli } from '../support/cli.js';

/** The files of the package that a command has loaded, as V8 tells them for its coverage. */
async function filesLoadedBy(words: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nearwire-test-'));
  await runCli(words, { NODE_V8_COVERAGE: folder });
  const files = readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url.replace(/^.*?\/(?=(?:bench\/)?dist\/)/, ''));
  });
  rmSync(folder, { recursive: true });
  expect(files).toContain('dist/bundle/cli/main.js');
  return files;
}

test.each([
  { words: ['inspect', '/no/such/socket', '--max-queued', '3'], file: 'dist/bundle/chunks/inspect.js' },
  { words: ['doctor', '--user', 'no such user'], file: 'dist/bundle/chunks/doctor.js' },
])('$words.0 does not load what the benchmarks are made of', async ({ words, file }) => {
  const files = await filesLoadedBy(words);
  expect(files).toContain(file);
  expect(files.filter((name) => name.startsWith('bench/') || /node_modules\/(?!node-gyp-build)/.test(name))).toEqual(
    [],
  );
});

test('a benchmark does, and the help knows all commands', async () => {
  expect((await filesLoadedBy(['bench', '--rounds', '0'])).some((name) => name.startsWith('bench/dist/cases/'))).toBe(
    true,
  );
  const { stdout, code } = await runCli(['--help']);
  expect(code).toBe(0);
  for (const name of ['bench', 'cost', 'tune', 'doctor', 'inspect', 'queue', 'status', 'completion'])
    expect(stdout).toContain(`  ${name} `);
});
