/** `nearwire bench --subject NAME=MODULE`: a module of the user's takes part, or it is said why it can not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { benchOnce, cellNames, expectRefusal } from '../support/bench-runs.js';
import { runCli } from '../support/cli.js';
import { folderForRuns } from '../support/command-runs.js';
import { requireOrSkip } from '../support/requirements.js';
import { temporaryDirectory } from '../support/sockets.js';

const floor = requireOrSkip('floor');

const runs = folderForRuns();
const EXAMPLE = fileURLToPath(new URL('../../examples/bench-subject.mjs', import.meta.url));

function moduleOf(code: string): string {
  const file = join(temporaryDirectory(), 'subject.mjs');
  writeFileSync(file, code);
  return file;
}

describe('a module that can not be measured is told at once', () => {
  test.each([
    { what: 'no file', module: () => '../no/such/file.mjs', reason: 'there is no such file' },
    { what: 'no package', module: () => 'no-such-package', reason: 'no such package is installed here' },
    { what: 'a syntax error', module: () => moduleOf('export const ='), reason: 'SyntaxError' },
    { what: 'what throws', module: () => moduleOf(`throw new Error('not today')`), reason: 'Error: not today' },
    {
      what: 'what rejects with no error',
      module: () => moduleOf(`await Promise.reject('nothing')`),
      reason: 'nothing',
    },
    { what: 'what ends the process', module: () => moduleOf('process.exit(3)'), reason: '--subject mine=' },
    {
      what: 'no function',
      module: () => moduleOf('export const createServer = 5;'),
      reason: 'it exports no function of createServer',
    },
    {
      what: 'connect alone',
      module: () => moduleOf('export const connect = () => undefined;'),
      reason: 'it exports connect of',
    },
  ])('$what', async ({ module, reason }) => {
    await expectRefusal(['--subject', `mine=${module()}`], reason);
  });

  test('a name that is taken', async () => {
    await expectRefusal(['--subject', `native=${EXAMPLE}`], 'two subjects have the name native');
  });
});

test('the example takes part in the same rounds, and is held against node:net', async () => {
  const words = ['--subject', `corked=${EXAMPLE}`, '--subjects', 'node:net', '--cases', 'rtt,pipeline,bulk'];
  const run = await benchOnce(runs, [...words, '--families', 'unix']);
  expect(run.stderr).toContain(`corked: ${EXAMPLE} exports no function createHttpServer: http, http-close`);
  for (const name of ['rtt corked p50', 'pipeline corked rate', 'bulk corked rate', 'rtt node:net p50']) {
    expect(cellNames(run)).toContain(name);
  }
  const ratio = run.json.ratios.find((entry) => entry.case === 'pipeline' && entry.measure === 'rate');
  expect(ratio).toMatchObject({ subject: 'corked', baseline: 'node:net' });
  expect(run.json.brought).toEqual([{ name: 'corked', title: `the module ${EXAMPLE}` }]);
  expect(run.stdout).toMatch(/│ +corked/);
});

test.skipIf(floor === undefined)('servers of http, in a CommonJS module that writes and keeps a timer', async () => {
  const file = join(temporaryDirectory(), 'subject.cjs');
  writeFileSync(
    file,
    `console.log('loaded');
     setInterval(() => undefined, 1000);
     exports.createHttpServer = (handler) => require('node:http').createServer(handler);`,
  );
  const words = ['--subject', `mine=${file}`, '--subjects', 'node:net', '--cases', 'http,file,rtt'];
  const run = await benchOnce(runs, [...words, '--families', 'unix']);
  expect(cellNames(run)).toContain('http mine cpu');
  expect(cellNames(run)).toContain('file mine cpu');
  expect(cellNames(run)).not.toContain('rtt mine p50');
  expect(run.stderr).toContain(`mine: ${file} exports no function connect: rtt, pipeline`);
});

test('a module that fails as it works is told, and the others are measured', async () => {
  const module = moduleOf(`
    import * as net from 'node:net';
    export const createServer = () => { throw new Error('no more servers'); };
    export const connect = net.connect;`);
  const words = ['bench', '--quick', '--rounds', '1', '--cases', 'rtt', '--families', 'unix'];
  const { code, stdout } = await runCli([...words, '--subject', `mine=${module}`, '--subjects', 'node:net']);
  expect(stdout).toContain('failed: server of rtt mine over unix exited with 1');
  expect(stdout).toContain('no more servers');
  expect(stdout).toMatch(/unix p50/);
  expect(code).toBe(1);
});
