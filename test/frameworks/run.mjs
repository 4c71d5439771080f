/**
 * The command: runs a web framework's own tests without and with `nearwire/register`, and tells what differs. See
 * test/README.md.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

/** A file that has not ended by then hangs. */
const PATIENCE_MILLIS = 60_000;

/**
 * What each suite's own `npm test` comes to: the folder to run in, which files, and how a file is run. TAP is what both
 * mocha and node's own runner can say, so one reader does for all.
 */
const SUITES = {
  express: suite(/^test\/(acceptance\/)?[^/]+\.js$/, mocha('--check-leaks')),
  fastify: suite(/^test\/.*\.test\.m?js$/, nodeTest),
  koa: suite(/^__tests__\/.*\.test\.js$/, nodeTest),
  ws: suite(/^test\/[^/]+\.test\.js$/, mocha('--throw-deprecation')),
  'http-proxy': suite(/^test\/[^/]+-test\.js$/, mocha()),
  'engine.io': suite(/^test\/(engine\.io|middlewares|parser|server)\.js$/, mocha('--exit'), 'packages/engine.io'),
  // The one file requires the others.
  'socket.io': suite(
    /^test\/index\.ts$/,
    mocha('--require=tsx/cjs', '--timeout', '10000', '--exit'),
    'packages/socket.io',
  ),
  hapi: suite(/^test\/[^/]+\.js$/, (file) => ['node_modules/@hapi/lab/bin/lab', '-a', '@hapi/code', '-r', 'tap', file]),
  // All but those that need a database or a broker. Types are the compiler's matter.
  nest: suite(
    /^integration\/(?!microservices\/|mongoose\/|typeorm\/)(?!.*node_modules\/).*\.spec\.ts$|^integration\/microservices\/e2e\/(sum-rpc|math-grpc|orders-grpc).*\.spec\.ts$/,
    mocha('--timeout=10000', '--reporter-option=maxDiffSize=0'),
    '.',
    { TS_NODE_TRANSPILE_ONLY: 'true' },
  ),
  hono: suite(/^test\/.*\.test\.ts$/, (file) => ['node_modules/vitest/vitest.mjs', 'run', '--reporter=tap-flat', file]),
  // Of any other package: most middleware of Express, and most plugins of Fastify, are so.
  mocha: suite(/^test\/[^/]+\.js$/, mocha('--check-leaks')),
  node: suite(/^test\/[^/]+\.js$/, nodeTest),
};

const USAGE = `usage: node test/frameworks/run.mjs --suite SUITE --dir DIR [options]
  --suite SUITE  ${Object.keys(SUITES).join(', ')}
  --dir DIR      a checkout of it, with its dependencies installed; of Socket.IO's, of the whole repository
  --node FILE    the node to run them with (default: this one)
  --only PATTERN only files that match this regular expression
  --logs DIR     write the output of each file with a difference
  --jobs N       files at a time (default: 1)`;

function suite(files, words, folder = '.', env = {}) {
  return { files, words, folder, env };
}

function mocha(...flags) {
  return (file, cwd) => {
    const command = createRequire(join(cwd, 'package.json')).resolve('mocha/bin/_mocha');
    // What the scripts of Express and its middleware preload.
    const env = existsSync(join(cwd, 'test/support/env.js')) ? ['--require', 'test/support/env'] : [];
    return [command, ...env, ...flags, '--reporter', 'tap', file];
  };
}

function nodeTest(file) {
  return ['--expose-gc', '--test-reporter=tap', file];
}

/**
 * The results in a TAP text, by name: 'pass', 'fail' or 'skip'. Node nests its tests, by four blanks a level, and names
 * each before its parts; a name is then that of all around it. One that occurs again is numbered, as it stands at the
 * same place in both runs.
 */
function readTap(text) {
  const results = new Map();
  const around = [];
  for (const line of text.split('\n')) {
    const opened = /^( *)# Subtest: (.*)$/.exec(line);
    if (opened !== null) around[opened[1].length / 4] = opened[2];
    const result = /^( *)(not )?ok \d+ (?:- )?(.*?)( # (?:SKIP|TODO).*)?(?: # time=.*)?$/.exec(line);
    if (result === null) continue;
    const [, indent, not, title, directive] = result;
    const path = [...around.slice(0, indent.length / 4), title].join(' > ');
    let name = path;
    for (let count = 2; results.has(name); count++) name = `${path} (${count})`;
    results.set(name, directive ? 'skip' : not ? 'fail' : 'pass');
  }
  return results;
}

/** Runs the command in a group of its own, so that what it started can be ended with it. */
function execute(command, words, options) {
  return new Promise((done) => {
    const child = spawn(command, words, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    let timedOut = false;
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        said[name] += text;
      });
    }
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        // ESRCH: nothing of it is left.
        if (error.code !== 'ESRCH') throw error;
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, PATIENCE_MILLIS);
    // Grandchildren may hold the pipes open: they are ended when its own process has, and 'close' comes then.
    child.on('exit', end).on('close', (code) => {
      clearTimeout(timer);
      done({ ...said, passed: code === 0, timedOut });
    });
  });
}

/** Runs one file; its own result, whether it ended well, stands under the name ''. */
async function runFile(file, { node, cwd, words, env: given, registered }) {
  const notes = mkdtempSync(join(tmpdir(), 'nwf-'));
  // The commands of its dependencies, as npm has them for scripts.
  const path = [join(cwd, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const env = { ...process.env, ...given, PATH: path, FRAMEWORK_NOTES: notes };
  // Runners look at it to colour what they say, or to run fewer tests.
  delete env.FORCE_COLOR;
  if (registered) {
    const preloaded = [here('./note-native.cjs'), createRequire(import.meta.url).resolve('nearwire/register')];
    env.NODE_OPTIONS = preloaded.map((path) => `--require "${path}"`).join(' ');
    env.NEARWIRE_TCP = '1';
    env.NEARWIRE_TRANSPORT = 'native';
  }
  const { stdout, stderr, passed, timedOut } = await execute(node, words(file, cwd), { cwd, env });
  const results = readTap(stdout);
  results.set('', passed ? 'pass' : timedOut ? 'timeout' : 'fail');
  const native = readdirSync(notes);
  rmSync(notes, { recursive: true, force: true });
  return { results, native, output: `${stdout}\n--- stderr ---\n${stderr}` };
}

function here(file) {
  return fileURLToPath(new URL(file, import.meta.url));
}

function count(results, outcome) {
  return [...results].filter(([name, is]) => name !== '' && is === outcome).length;
}

/** Names that pass without and do not with: those that fail, and those that were not reached. */
function differences(without, registered) {
  return [...without.results]
    .filter(([name, is]) => is === 'pass' && registered.results.get(name) !== 'pass')
    .map(([name]) => `${name || '(the whole file)'}: ${registered.results.get(name) ?? 'not run'}`);
}

async function compareFile(file, setting, logs) {
  const without = await runFile(file, { ...setting, registered: false });
  const registered = await runFile(file, { ...setting, registered: true });
  const differing = differences(without, registered);
  if (logs !== undefined && differing.length > 0) {
    const name = join(logs, file.replaceAll('/', '+'));
    writeFileSync(`${name}.without.log`, without.output);
    writeFileSync(`${name}.with.log`, registered.output);
  }
  return { file, without, registered, differing };
}

function sum(compared, value) {
  return compared.reduce((total, one) => total + value(one), 0);
}

function print(compared, { name, version }) {
  const noted = (kind) => compared.filter(({ registered }) => registered.native.includes(kind)).length;
  const rows = [
    ['', 'without', 'with'],
    ...['pass', 'fail', 'skip'].map((outcome) => [
      outcome,
      sum(compared, ({ without }) => count(without.results, outcome)),
      sum(compared, ({ registered }) => count(registered.results, outcome)),
    ]),
    ['files that end well', ...['without', 'registered'].map((way) => endingWell(compared, way))],
    ['files with native listeners', '', noted('listener')],
    ['files with requests read by nearwire', '', noted('http')],
  ];
  const lines = rows.map(
    ([label, ...cells]) => label.padEnd(38) + cells.map((cell) => String(cell).padStart(8)).join(''),
  );
  process.stdout.write(`${name}, node ${version}, ${compared.length} files\n${lines.join('\n')}\n`);
  for (const { file, without } of compared) {
    for (const [test, is] of without.results) {
      if (is === 'fail' || is === 'timeout')
        process.stdout.write(`fails without: ${file}: ${test || '(the whole file)'}\n`);
    }
  }
  for (const { file, differing } of compared) {
    for (const line of differing) process.stdout.write(`DIFFERS: ${file}: ${line}\n`);
  }
}

function endingWell(compared, way) {
  return compared.filter((one) => one[way].results.get('') === 'pass').length;
}

function readArguments() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      suite: text,
      dir: text,
      node: { ...text, default: process.execPath },
      only: { ...text, default: '' },
      logs: text,
      jobs: { ...text, default: '1' },
    },
  });
  if (SUITES[values.suite] === undefined) throw new Error(`--suite: ${values.suite ?? 'missing'}`);
  if (values.dir === undefined) throw new Error('--dir is missing');
  return values;
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
  const { files, words, folder, env } = SUITES[given.suite];
  const cwd = resolve(given.dir, folder);
  if (given.logs !== undefined) mkdirSync(given.logs, { recursive: true });
  const only = new RegExp(given.only);
  const queue = readdirSync(cwd, { recursive: true })
    .map((file) => file.replaceAll(sep, '/'))
    .filter((file) => files.test(file) && only.test(file))
    .sort();
  const compared = [];
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      compared.push(await compareFile(file, { node: given.node, cwd, words, env }, given.logs));
    }
  };
  await Promise.all(Array.from({ length: Number(given.jobs) }, work));
  const { stdout } = await execute(given.node, ['--version'], {});
  print(compared, { name: given.suite, version: stdout.trim() });
  // A run that nothing of nearwire took part in proves nothing.
  const isNative = compared.some(({ registered }) => registered.native.length > 0);
  if (!isNative || compared.some(({ differing }) => differing.length > 0)) process.exitCode = 1;
}

await main();
