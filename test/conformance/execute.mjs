/** Runs one file of node's tests in a process of its own, as node's own runner does. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Node's runner gives 120 s. None of these needs more than 20 here, but some run beside others on a busy machine. */
const PATIENCE_MILLIS = 60_000;
/** A test that talks more than this has gone wrong; its end is what tells. */
const KEPT_OUTPUT = 64 * 1024;
/** The file's first part, where its `// Flags:` and `// Env:` lines stand. */
const HEAD_BYTES = 4096;

/** Words of a comment line `// <label>: ...` at the head of a test. */
function headWords(text, label) {
  const [, words = ''] = new RegExp(`^// ${label}:\\s+(\\S.*)$`, 'm').exec(text) ?? [];
  return words.split(/\s+/).filter(Boolean);
}

/**
 * Runs the test `name` of the tree `root`. `mode` says what is preloaded, and the environment that goes with it; `slot`
 * is a number that no other test has meanwhile.
 *
 * Answers `outcome` ('pass', 'fail', 'timeout' or 'skip'), `millis`, `native` (which kinds of native sockets were made)
 * and `output`.
 */
export async function runTest({ root, name, node, mode, slot }) {
  const file = join(root, name);
  const head = readFileSync(file, 'utf8').slice(0, HEAD_BYTES);
  // Short: the paths of UNIX sockets in it must fit into 108 bytes.
  const directory = mkdtempSync(join(tmpdir(), 'nwc-'));
  const notes = join(directory, 'native');
  const ports = join(directory, 'ports');
  for (const made of [notes, ports]) mkdirSync(made);
  const env = {
    ...process.env,
    ...Object.fromEntries(headWords(head, 'Env').map((word) => word.split('='))),
    ...mode.env,
    NODE_TEST_DIR: directory,
    TEST_SERIAL_ID: String(slot),
    TEST_THREAD_ID: String(slot),
    CONFORMANCE_NOTES: notes,
    CONFORMANCE_PORTS: ports,
  };
  if (name.startsWith('parallel/')) env.TEST_PARALLEL = '1';
  const started = performance.now();
  const { outcome, output } = await execute(node, [...headWords(head, 'Flags'), file], env, dirname(root));
  const millis = Math.round(performance.now() - started);
  const native = readdirSync(notes).sort();
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  return { outcome, millis, native, output };
}

/** Runs the command; a group of its own, so that what it started can be ended with it. */
function execute(command, words, env, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let timedOut = false;
    const keep = (text) => {
      output = (output + text).slice(-KEPT_OUTPUT);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep);
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child);
    }, PATIENCE_MILLIS);
    child.on('error', (error) => keep(String(error)));
    // Grandchildren may hold the pipes open: the test is over when its own process is.
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      setImmediate(() => {
        endGroup(child);
        if (signal !== null) keep(`\nended by ${signal}\n`);
        resolve({ outcome: timedOut ? 'timeout' : outcomeOf(code, output), output });
      });
    });
  });
}

function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: nothing of it is left.
    if (error.code !== 'ESRCH') throw error;
  }
}

function outcomeOf(code, output) {
  if (code !== 0) return 'fail';
  return /^1\.\.0 # Skipped/m.test(output) ? 'skip' : 'pass';
}
