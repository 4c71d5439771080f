/** The command `nearwire cost`, as a user types it: what it refuses, a run, and an end before its time. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { describe, expect, test } from 'vitest';

import { hasInEnvironment, readProcesses } from '../../../bench/process-table.js';
import { runCli, startCli } from '../../support/cli.js';
import { folderForRuns, until } from '../../support/command-runs.js';
import { requireOrSkip } from '../../support/requirements.js';

const addon = requireOrSkip('addon');
const floor = requireOrSkip('floor');
const ready = addon !== undefined && floor !== undefined && process.platform === 'linux';

const runs = folderForRuns();
const WSGI = 'package.json:application';

/** Processes that have this in their environment. */
const processesWith = (mark: string): readonly unknown[] =>
  readProcesses().filter(({ pid }) => hasInEnvironment(pid, mark));

describe('words that make no sense exit 2 with a hint', () => {
  test.each([
    { words: ['--bites', '5'], hint: 'Did you mean --bytes?' },
    { words: ['hello'], hint: 'too many arguments' },
    { words: ['--stacks', 'nginx-uswgi-unix'], hint: 'Did you mean nginx-uwsgi-unix?' },
    { words: ['--stacks', ''], hint: 'Known: nginx-uwsgi-unix' },
    { words: ['--app-ms', 'five'], hint: '--app-ms takes a number from 0 to 60000' },
    { words: ['--app-ms', '-1'], hint: '--app-ms takes a number from 0' },
    { words: ['--app-ms', '1e3'], hint: '--app-ms takes a number from 0' },
    { words: ['--bytes', '-1'], hint: 'a whole number from 0' },
    { words: ['--wsgi', 'wiki.py'], hint: 'as in --wsgi wiki.py:application' },
    { words: ['--wsgi', '/no/such/wiki.py:application'], hint: 'no such file' },
    { words: ['--wsgi', '/tmp:application'], hint: 'is not a file' },
    { words: ['--app', '/no/such/app.js'], hint: 'no such file' },
    { words: ['--app', 'package.json', '--stacks', 'yaws'], hint: 'Those that do: nginx-node-unix-close' },
    { words: ['--wsgi', WSGI, '--stacks', 'node-unix'], hint: 'Those that do: nginx-uwsgi-unix' },
    { words: ['--app', 'package.json', '--app-ms', '1'], hint: '--app and --app-ms each name' },
    { words: ['--page', '--bytes', '1'], hint: '--page and --bytes each name' },
    { words: ['--app', 'package.json', '--wsgi', WSGI, '--page'], hint: '--app and --wsgi and --page each name' },
    { words: ['--path', '/wiki'], hint: 'give --wsgi or --app' },
    { words: ['--app', 'package.json', '--path', 'wiki page'], hint: 'as in --path /wiki/FrontPage' },
    { words: ['--html'], hint: 'argument missing' },
    { words: ['--html', '/no-such-folder/x.html'], hint: 'cannot write into /no-such-folder' },
  ])('$words', async ({ words, hint }) => {
    const { code, stdout, stderr } = await runCli(['cost', ...words]);
    expect(stderr).toContain(hint);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});

test('the help names all stacks', async () => {
  const { code, stdout } = await runCli(['cost', '--help']);
  expect(code).toBe(0);
  for (const word of ['--app-ms', '--wsgi', 'nginx-uwsgi-unix', 'yaws', 'apache-embedded', 'nginx-bun-unix']) {
    expect(stdout).toContain(word);
  }
});

test('without the plain C program nothing is measured, and the reason is told', async () => {
  const { code, stdout, stderr } = await runCli(['cost'], { NEARWIRE_FLOOR: join(runs.path, 'no-floor') });
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain('nothing is left to run');
});

test('stacks whose programs are not there are told with the line that installs them', async () => {
  const { code, stderr } = await runCli(['cost', '--stacks', 'yaws'], { NEARWIRE_YAWS: join(runs.path, 'no-yaws') });
  expect(code).toBe(3);
  expect(stderr).toContain('yaws is left out: not installed: apt-get install yaws');
});

describe.skipIf(!ready)('a run', () => {
  test('writes its figures and its page, and leaves nothing behind', async () => {
    const [file, html] = [join(runs.path, 'cost.json'), join(runs.path, 'cost.html')];
    const words = ['--stacks', 'node-unix,nearwire-unix', '--json', file, '--html', html];
    const { code, stdout, stderr } = await runCli(['cost', ...words], { TMPDIR: runs.path });
    expect({ code, failed: stdout.includes('left out') }).toEqual({ code: 0, failed: false });
    expect(stderr).toContain('so far: a request takes');
    // Not on a terminal: plain text.
    expect(stripVTControlCharacters(stdout)).toBe(stdout);
    expect(stdout).toMatch(/node:http over node:net, UNIX\n\n {2}A request takes [\d.]+ us of work in total/);
    expect(stdout).toMatch(/node:http over nearwire, UNIX .*us/);
    expect(readFileSync(html, 'utf8')).toContain('Microseconds of work per request');
    const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    expect(json).toMatchObject({ schema: 1, failures: [], interrupted: false, verdicts: { 1: {}, 32: {} } });
    expect(Object.keys(json['samples'] ?? {})).toHaveLength(4);
    expect(runs.leftovers('nearwire-')).toEqual([]);
  }, 180_000);

  test.each([
    { signal: 'SIGINT' as const, code: 130 },
    { signal: 'SIGTERM' as const, code: 143 },
  ])(
    'that is ended by $signal leaves no process and no file, and tells what was measured',
    async ({ signal, code }) => {
      const file = join(runs.path, `${signal}.json`);
      const value = `${signal}-${String(process.pid)}`;
      const words = ['cost', '--stack', 'node-unix', '--json', file];
      const { child, result } = startCli(words, { TMPDIR: runs.path, NEARWIRE_TEST_MARK: value });
      await new Promise<void>((resolve) => {
        let told = '';
        child.stderr?.on('data', (part: string) => {
          told += part;
          if (told.includes('round 2 of 3')) resolve();
        });
      });
      const mark = `NEARWIRE_TEST_MARK=${value}`;
      expect(processesWith(mark).length).toBeGreaterThan(1);
      child.kill(signal);
      const ended = await result;
      expect(ended.code).toBe(code);
      expect(ended.stdout).toContain('interrupted, and therefore based on fewer sweeps');
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ interrupted: true, failures: [] });
      await until(() => processesWith(mark).length === 0);
      expect(runs.leftovers('nearwire-')).toEqual([]);
      expect(existsSync(join(runs.path, 'nearwire-cost'))).toBe(false);
    },
    120_000,
  );
});
