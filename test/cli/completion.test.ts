/** `nearwire completion`: what each shell offers, in a real one. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { runCli } from '../support/cli.js';
import { requireOrSkip } from '../support/requirements.js';
import { temporaryDirectory } from '../support/sockets.js';

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

/** Far more than a shell takes to start on a busy host. */
const PATIENCE_MS = 60_000;

const zsh = requireOrSkip('zsh');
const fish = requireOrSkip('fish');

async function scriptFile(shell: string): Promise<string> {
  const { code, stdout } = await runCli(['completion', shell]);
  expect(code).toBe(0);
  const file = join(temporaryDirectory(), `nearwire.${shell}`);
  await writeFile(file, stdout);
  return file;
}

/** A shell on a terminal, which is sent a line with a tab in it; the line is printed as the shell has completed it. */
const ASK_ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
await() {
  local got= part
  while zpty -r shell part; do
    got+=$part
    [[ $got == *$~1* ]] && return
  done
}
zpty -w -n shell 'PS1=; autoload -Uz compinit; compinit -u -D; source '$1'; nearwire() { print "<$*>" }; print re"ady"'$'\n'
await ready
zpty -w -n shell "nearwire $2"$'\t\n'
got=
while zpty -r shell part; do got+=$part; [[ $got == *'>'* ]] && break; done
print -r -- "$got"
zpty -d shell`;

test.skipIf(zsh === undefined).each([
  ['insp', 'inspect'],
  ['inspect --max', 'inspect --max-queued'],
  ['bench --quic', 'bench --quick'],
])('zsh completes %j', async (typed, completed) => {
  const words = ['-fc', ASK_ZSH, 'zsh', await scriptFile('zsh'), typed];
  expect(execFileSync(String(zsh), words, { encoding: 'utf8', timeout: PATIENCE_MS })).toContain(`<${completed}>`);
});

test.skipIf(fish === undefined)('fish completes commands, and the options of each', async () => {
  const file = await scriptFile('fish');
  const ask = (line: string): string[] => {
    const words = ['-c', 'source $argv[1]; complete -C $argv[2]', file, line];
    const text = execFileSync(String(fish), words, { encoding: 'utf8' });
    return text.split('\n').filter(Boolean);
  };
  expect(ask('nearwire in')).toEqual(["inspect\tshow a UNIX listener's owner, queue and connections"]);
  expect(ask('nearwire inspect --max')).toEqual(['--max-queued']);
  expect(ask('nearwire bench --sub').sort()).toEqual(['--subject', '--subjects']);
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
