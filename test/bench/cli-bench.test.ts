import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { nearest } from '../../src/cli/usage.js';
import { runCli } from '../support/cli.js';
import { folderForRuns } from '../support/command-runs.js';

const runs = folderForRuns();

describe('words that make no sense exit 2 with a hint', () => {
  test.each([
    { words: ['bnch'], hint: 'Did you mean bench?' },
    { words: ['--verzion'], hint: 'Did you mean --version?' },
    { words: ['bench', '--quik'], hint: 'Did you mean --quick?' },
    { words: ['bench', 'rtt'], hint: 'too many arguments' },
    { words: ['bench', '--cases', 'rrt'], hint: 'Did you mean rtt?' },
    { words: ['bench', '--cases', 'rtt,http_close'], hint: 'Did you mean http-close?' },
    { words: ['bench', '--cases', 'qqqqqqqq'], hint: 'Known: rtt, pipeline' },
    { words: ['bench', '--cases', ''], hint: 'Known: rtt, pipeline' },
    { words: ['bench', '--cases'], hint: 'argument missing' },
    { words: ['bench', '--subjects', 'node.net'], hint: 'Did you mean node:net?' },
    { words: ['bench', '--families', 'unx'], hint: 'Did you mean unix?' },
    { words: ['bench', '--bytes', '0'], hint: '--bytes takes sizes from 1' },
    { words: ['bench', '--rounds', '0'], hint: 'a whole number from 1' },
    { words: ['bench', '--rounds', '-3'], hint: 'a whole number from 1' },
    { words: ['bench', '--rounds', '2.5'], hint: 'a whole number from 1' },
    { words: ['bench', '--rounds', 'many'], hint: 'a whole number from 1' },
    { words: ['bench', '--rounds', '1e9'], hint: 'a whole number from 1' },
    { words: ['bench', '--cases', 'http', '--subjects', 'channel'], hint: 'http is for c, native, js, node:net' },
    { words: ['bench', '--pid', '1'], hint: '--path and --pid require --attach' },
    { words: ['bench', '--path', '/x'], hint: '--path and --pid require --attach' },
    { words: ['bench', '--attach', ''], hint: 'takes a path or HOST:PORT' },
    { words: ['bench', '--attach', '/x', '--path', 'x'], hint: "not 'x'" },
    { words: ['bench', '--attach', '/x', '--path', '/a b'], hint: "not '/a b'" },
    { words: ['bench', '--attach', '/x', '--pid', '0'], hint: '--pid takes a whole number from 1' },
    { words: ['bench', '--attach', '/x', '--families', 'tcp'], hint: 'is measured over unix' },
    { words: ['bench', '--attach', '127.0.0.1:1', '--cases', 'rrt'], hint: 'Did you mean rtt?' },
    { words: ['bench', '--subject', '../x.mjs'], hint: 'takes NAME=MODULE' },
    { words: ['bench', '--subject', 'mine='], hint: 'takes NAME=MODULE' },
    { words: ['bench', '--subject', 'a b=./x.mjs'], hint: 'begins with a letter' },
    { words: ['bench', '--subject', '=./x.mjs'], hint: 'begins with a letter' },
    { words: ['bench', '--subject', '<b>=./x.mjs'], hint: 'begins with a letter' },
    { words: ['bench', '--env', '=5'], hint: 'takes NAME or NAME=VALUE' },
    { words: ['bench', '--env', 'A B=5'], hint: 'takes NAME or NAME=VALUE' },
    { words: ['bench', '--env', 'NEARWIRE_NOT_SET'], hint: 'it is not set; use --env' },
    // Found out before the run.
    { words: ['bench', '--json', '/no/such/folder/x.json'], hint: 'cannot write into' },
    { words: ['bench', '--html', '/no/such/folder/x.html'], hint: 'cannot write into' },
    { words: ['bench', '--json', tmpdir()], hint: 'is a directory' },
    { words: ['bench', '--output', '/no/such/folder/x'], hint: 'cannot write into' },
    {
      words: ['bench', '--json', join(runs.path, 'x'), '--output', join(runs.path, 'x')],
      hint: 'another report is already written to this file',
    },
    { words: ['bnch'], hint: 'Did you mean bench?' },
    { words: ['bench', '--hdr', '/dev/null/hdr'], hint: '--hdr /dev/null/hdr' },
    { words: [], hint: 'Usage: nearwire' },
  ])('$words', async ({ words, hint }) => {
    const { code, stdout, stderr } = await runCli(words, { NEARWIRE_FLOOR: process.execPath });
    expect(stderr).toContain(hint);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});

test('--version and --help exit 0', async () => {
  const version = await runCli(['--version']);
  expect(version).toMatchObject({ code: 0, stderr: '' });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const help = await runCli(['bench', '--help']);
  expect(help.code).toBe(0);
  for (const word of ['--cases', '--subjects', '--families', '--rounds', '--quick', '--json', '--html', 'http-close']) {
    expect(help.stdout).toContain(word);
  }
});

test('what is missing on this machine exits 3 and says how to get it', async () => {
  const floor = await runCli(['bench', '--cases', 'http'], { NEARWIRE_FLOOR: join(runs.path, 'no-floor') });
  expect(floor).toMatchObject({ code: 3, stdout: '' });
  expect(floor.stderr).toContain('npm run build:floor');
  const missing = `NEARWIRE_ADDON=${join(runs.path, 'no-addon')}`;
  const addon = await runCli(['bench', '--cases', 'rtt', '--subjects', 'native', '--env', missing]);
  expect(addon).toMatchObject({ code: 3, stdout: '' });
  expect(addon.stderr).toContain('the addon did not load');
});

test('the nearest word is one that could have been meant', () => {
  expect(nearest('pipline', ['rtt', 'pipeline', 'bulk'])).toBe('pipeline');
  expect(nearest('xyzzy', ['rtt', 'pipeline', 'bulk'])).toBeUndefined();
});
