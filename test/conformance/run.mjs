/** The command: runs node's own socket tests in one mode and tells what differs. See docs/compatibility.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { runTest } from './execute.mjs';
import { makeModes } from './modes.mjs';
import { judge, print, readExclusions } from './report.mjs';
import { selectTests } from './selection.mjs';

const USAGE = `usage: node test/conformance/run.mjs --tests DIR [options]
  --tests DIR      a checkout of denoland/node_test
  --mode MODE      baseline, register (default), baseline-unix or register-unix
  --node FILE      the node to run them with (default: this one)
  --baseline FILE  results of the baseline, as --json writes them (default: run it first)
  --only PATTERN   only names that match this regular expression
  --json FILE      write the results
  --logs DIR       write the output of each test that fails
  --register FILE  a CommonJS entry to preload in place of this package's nearwire/register
  --jobs N         at a time (default: the number of cores)`;

function readArguments() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      tests: text,
      mode: { ...text, default: 'register' },
      node: { ...text, default: process.execPath },
      baseline: text,
      only: { ...text, default: '' },
      json: text,
      logs: text,
      register: text,
      jobs: { ...text, default: String(availableParallelism()) },
    },
  });
  if (values.tests === undefined) throw new Error('--tests is missing');
  return { ...values, jobs: Number(values.jobs), only: new RegExp(values.only), root: resolve(values.tests, 'test') };
}

/** Runs the tests, `jobs` at a time; those of `sequential` alone, after the others. Answers the result of each name. */
async function runAll(names, { root, node, logs, jobs }, mode) {
  const results = {};
  const alone = names.filter((name) => name.startsWith('sequential/'));
  const together = names.filter((name) => !name.startsWith('sequential/'));
  const work = async (queue, slot) => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const { output, ...result } = await runTest({ root, name, node, mode, slot });
      results[name] = result;
      if (logs !== undefined && (result.outcome === 'fail' || result.outcome === 'timeout')) {
        writeFileSync(join(logs, `${name.replaceAll('/', '+')}.log`), output);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, (_, slot) => work(together, slot + 1)));
  await work(alone, 1);
  return Object.fromEntries(names.map((name) => [name, results[name]]));
}

async function main() {
  let given;
  try {
    given = readArguments();
  } catch (error) {
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  const modes = makeModes(given.register && resolve(given.register));
  const mode = modes[given.mode];
  if (mode === undefined) throw new Error(`no such mode: ${given.mode}`);
  if (given.logs !== undefined) mkdirSync(given.logs, { recursive: true });
  const version = execFileSync(given.node, ['--version'], { encoding: 'utf8' }).trim();
  const names = selectTests(given.root).filter((name) => given.only.test(name));
  let before;
  if (mode.baseline !== undefined) {
    before =
      given.baseline === undefined
        ? await runAll(names, { ...given, logs: undefined }, modes[mode.baseline])
        : JSON.parse(readFileSync(given.baseline, 'utf8')).results;
  }
  const results = await runAll(names, given, mode);
  if (given.json !== undefined) {
    writeFileSync(given.json, `${JSON.stringify({ node: version, mode: given.mode, results }, null, 2)}\n`);
  }
  const verdict = judge(results, before, readExclusions(given.mode, version));
  print(verdict, { version, mode: given.mode });
  if (verdict.unexpected.length > 0 || verdict.needless.length > 0) process.exitCode = 1;
}

await main();
