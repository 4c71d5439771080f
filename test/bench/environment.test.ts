/** What of the environment reaches what `nearwire bench` measures. */
import { describe, expect, test } from 'vitest';

import { benchOnce } from '../support/bench-runs.js';
import { runCli } from '../support/cli.js';
import { folderForRuns } from '../support/command-runs.js';
import { requireOrSkip } from '../support/requirements.js';

const addon = requireOrSkip('addon');

const runs = folderForRuns();
const WORDS = ['--cases', 'rtt', '--families', 'unix', '--subjects', 'native'];

describe.skipIf(addon === undefined)('a variable that changes how a server works', () => {
  // A value that no worker would start with.
  const wrong = { NEARWIRE_SPIN: 'fast', NODE_OPTIONS: '--no-deprecation' };

  test('is not handed on, and that is said', async () => {
    const run = await benchOnce(runs, WORDS, wrong);
    for (const name of Object.keys(wrong)) {
      expect(run.stderr).toContain(`${name} is set and not handed on to what is measured: --env ${name} does so`);
    }
    expect(run.json.environment).toEqual({});
    expect(run.stdout).not.toContain('environment of what was measured');
  });

  test('is handed on where it is asked for', async () => {
    const words = ['bench', '--quick', '--rounds', '1', ...WORDS, '--env', 'NEARWIRE_SPIN'];
    const { code, stdout } = await runCli(words, { TMPDIR: runs.path, ...wrong });
    expect(stdout).toContain('failed: server of rtt native over unix exited with 1');
    expect(stdout).toContain('NEARWIRE_SPIN');
    expect(code).toBe(1);
  });

  test('is recorded', async () => {
    const run = await benchOnce(runs, [...WORDS, '--env', 'NEARWIRE_SPIN=20', '--env', 'UV_THREADPOOL_SIZE=2']);
    expect(run.json.environment).toEqual({ NEARWIRE_SPIN: '20', UV_THREADPOOL_SIZE: '2' });
    expect(run.stdout).toContain('environment of what was measured: NEARWIRE_SPIN=20 UV_THREADPOOL_SIZE=2');
  });
});
