/** `nearwire completion`: what bash offers, in a real one. */
import { execFileSync } from 'node:child_process';

import { expect, test } from 'vitest';

import { runCli } from '../support/cli.js';

/** What bash offers for the last of these words. */
function offered(script: string, ...words: readonly string[]): string[] {
  const ask = `${script}
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_nearwire
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync('bash', ['-euc', ask, 'bash', 'nearwire', ...words], { encoding: 'utf8' });
  return text.split('\n').filter(Boolean);
}

test('bash completes commands, and the options of each, those of nearwire-bench among them', async () => {
  const { code, stdout: script, stderr } = await runCli(['completion', 'bash']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(offered(script, 'in')).toEqual(['inspect']);
  expect(offered(script, 'co')).toEqual(['completion', 'cost']);
  expect(offered(script, 'inspect', '--max')).toEqual(['--max-queued']);
  expect(offered(script, 'bench', '--sub')).toEqual(['--subjects', '--subject']);
  // Files are bash's own affair.
  expect(offered(script, 'inspect', '/tmp')).toEqual([]);
});

test.each(['zsh', 'fish'])('a script for %s names all commands', async (shell) => {
  const { code, stdout } = await runCli(['completion', shell]);
  expect(code).toBe(0);
  for (const name of ['status', 'doctor', 'inspect', 'queue', 'completion', 'bench', 'cost', 'tune']) {
    expect(stdout).toContain(name);
  }
});

test.each([
  [[], 'is missing'],
  [['tcsh'], 'Known: bash, zsh, fish'],
])('%j is refused with 2', async (words, hint) => {
  const { code, stderr } = await runCli(['completion', ...words]);
  expect(stderr).toContain(hint);
  expect(code).toBe(2);
});

test('every command has a help that names its options', async () => {
  const { stdout: script } = await runCli(['completion', 'bash']);
  const lines = [...script.matchAll(/^ {6}(\w+)\) words='(.*)' ;;$/gm)];
  expect(lines.length).toBe(8);
  for (const [, name = '', options = ''] of lines) {
    const { code, stdout } = await runCli([name, '--help']);
    expect(code, name).toBe(0);
    for (const option of options.split(' ')) expect(stdout).toContain(option);
    expect(stdout).toContain(`Usage: nearwire ${name}`);
  }
});
