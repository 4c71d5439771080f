import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { nearest } from '../src/cli/usage.js';
import { runCli } from './support/cli.js';
import { folderForRuns } from './support/command-runs.js';

const runs = folderForRuns();

describe('words that make no sense exit 2 with a hint', () => {
  test.each([
    { words: ['bnch'], hint: 'Did you mean bench?' },
    { words: ['--verzion'], hint: 'Did you mean --version?' },
    { words: ['bench', '--quik'], hint: 'Did you mean --quick?' },
    { words: ['bench', 'rtt'], hint: 'too many arguments' },
    { words: ['bench', '--cases', 'rrt'], hint: 'Did you mean rtt?' },
    { words: ['bench', '--cases', 'rtt,http_close'], hint: 'Did you mean http-close?' },
    { words: ['bench', '--cases', 'qqqqqqqq'], hint: 'There are: rtt, pipeline' },
    { words: ['bench', '--cases', ''], hint: 'There are: rtt, pipeline' },
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
  ])('$words', async ({ words, hint }) => {
    const { code, stdout, stderr } = await runCli(words, { NEARWIRE_FLOOR: process.execPath });
    expect(stderr).toContain(hint);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  test('a file that could not be written is found out before the run', async () => {
    const missing = join(runs.path, 'missing', 'x.json');
    for (const words of [
      ['--json', missing],
      ['--html', missing],
      ['--json', runs.path],
    ]) {
      const { code, stderr } = await runCli(['bench', ...words]);
      expect(stderr).toMatch(/cannot write into|is a directory/);
      expect(code).toBe(2);
    }
  });

  test('no command at all shows the help', async () => {
    const { code, stderr } = await runCli([]);
    expect(stderr).toContain('Usage: nearwire');
    expect(code).toBe(2);
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

test('what is missing on this machine exits 1 and says how to get it', async () => {
  const floor = await runCli(['bench', '--cases', 'http'], { NEARWIRE_FLOOR: join(runs.path, 'no-floor') });
  expect(floor).toMatchObject({ code: 1, stdout: '' });
  expect(floor.stderr).toContain('npm run build:native');
  const missing = `NEARWIRE_ADDON=${join(runs.path, 'no-addon')}`;
  const addon = await runCli(['bench', '--cases', 'rtt', '--subjects', 'native', '--env', missing]);
  expect(addon).toMatchObject({ code: 1, stdout: '' });
  expect(addon.stderr).toContain('the addon did not load');
});

test('the nearest word is one that could have been meant', () => {
  expect(nearest('pipline', ['rtt', 'pipeline', 'bulk'])).toBe('pipeline');
  expect(nearest('xyzzy', ['rtt', 'pipeline', 'bulk'])).toBeUndefined();
});
