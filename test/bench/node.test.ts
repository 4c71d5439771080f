/** `nearwire bench --node`: the same workers on another Node. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { benchOnce, expectRefusal } from '../support/bench-runs.js';
import { folderForRuns } from '../support/command-runs.js';
import { requireOrSkip } from '../support/requirements.js';
import { temporaryDirectory } from '../support/sockets.js';

const addon = requireOrSkip('addon');

const runs = folderForRuns();
const [MAJOR = ''] = process.versions.node.split('.');

function program(script: string): string {
  const file = join(temporaryDirectory(), 'node');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('what is no Node is told at once', () => {
  test.each([
    { what: 'no file', node: () => './no/such/node', reason: 'there is no program' },
    { what: 'another program', node: () => '/bin/sh', reason: 'this is no Node' },
    { what: 'a program that tells another version', node: () => program('echo 1.2.3'), reason: 'this is no Node' },
    { what: 'an old Node', node: () => program('echo v20.18.3'), reason: 'needs Node 20.19 or later, not 20.18.3' },
  ])('$what', async ({ node, reason }) => {
    await expectRefusal(['--node', node()], reason);
  });

  test('the same major version twice', async () => {
    const twice = ['--node', process.execPath, '--node', process.execPath];
    await expectRefusal(twice, `two subjects have the name native@${MAJOR}`);
  });
});

test.skipIf(addon === undefined)(
  'ours and node:net run on it, each held against node:net on the same Node',
  async () => {
    const words = ['--node', process.execPath, '--cases', 'rtt,micro', '--subjects', 'native,node:net'];
    const run = await benchOnce(runs, [...words, '--families', 'unix']);
    const pairs = run.json.ratios
      .filter((ratio) => ratio.case === 'rtt' && ratio.measure === 'p50')
      .map(({ subject, baseline }) => `${subject} to ${baseline}`);
    const [ours, nodes] = [`native@${MAJOR}`, `node:net@${MAJOR}`];
    expect(new Set(pairs)).toEqual(new Set(['native to node:net', `${ours} to ${nodes}`, `${nodes} to node:net`]));
    expect(run.json.brought?.map(({ name, node }) => [name, node])).toEqual([
      [ours, process.versions.node],
      [nodes, process.versions.node],
    ]);
    // Both sides of its ratios have to be in one process.
    const subjects = run.json.cells.filter((cell) => cell.case === 'micro').map(({ subject }) => subject);
    expect(new Set(subjects)).toEqual(new Set(['native', 'node:net']));
    expect(run.stdout).toContain(`on Node ${process.versions.node}, held against ${nodes}`);
  },
);

test('one of them can be named, and one that npm has brought is used again', async () => {
  const cache = temporaryDirectory();
  const folder = join(cache, 'nearwire', `node-${MAJOR}`, 'node_modules', 'node', 'bin');
  mkdirSync(folder, { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node'));
  const words = ['--node', `node@${MAJOR}`, '--cases', 'rtt', '--subjects', `node:net@${MAJOR}`];
  const run = await benchOnce(runs, [...words, '--families', 'unix'], { XDG_CACHE_HOME: cache });
  expect(new Set(run.json.cells.map(({ subject }) => subject))).toEqual(new Set([`node:net@${MAJOR}`]));
});
