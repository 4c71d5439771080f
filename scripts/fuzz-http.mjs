// Sends many more mutated requests to the HTTP engine than the suite does, and compares what they mean with what they mean
// to node:http: to its scanner of plain requests; with --connections as whole conversations, on connections that exist in
// memory only, with --strict by servers that are strict, with --fetch by fetch handlers; with --sockets as the same conversations on the kernel's.
// usage: fuzz-http.mjs [--cases N] [--seconds N] [--seed S] [--connections [--strict | --fetch] [--processes N] | --sockets]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const USAGE =
  'usage: fuzz-http.mjs [--cases N] [--seconds N] [--seed S] [--connections [--strict | --fetch] [--processes N] | --sockets], whole numbers from 1 on';
/** Of loading, and of the last batch. What takes longer than this beyond --seconds hangs. */
const GRACE_SECONDS = 120;

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    seconds: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'boolean', default: false },
    processes: { type: 'string', default: String(availableParallelism()) },
    sockets: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    fetch: { type: 'boolean', default: false },
  },
});
const { connections, sockets, strict, fetch, seconds, seed } = values;
const inMemory = strict ? 'fuzz-strict-memory' : fetch ? 'fuzz-fetch-memory' : 'fuzz-memory';

const level = sockets
  ? { test: 'fuzz-connections', variable: 'NEARWIRE_FUZZ_CONNECTIONS', cases: 20_000 }
  : connections
    ? { test: inMemory, variable: 'NEARWIRE_FUZZ_CONVERSATIONS', cases: 1_000_000 }
    : { test: 'fuzz', variable: 'NEARWIRE_FUZZ_CASES', cases: 10_000_000 };
const { cases = String(level.cases) } = values;
const processes = connections && !sockets ? Number(values.processes) : 1;
if (
  ((strict || fetch) && (sockets || !connections)) ||
  (strict && fetch) ||
  [cases, seconds, seed, processes].some((value) => !Number.isSafeInteger(Number(value)) || Number(value) < 1)
) {
  console.error(USAGE);
  process.exit(2);
}

/** With a large young generation, since hardly anything of a conversation outlives it. */
const VITEST = [
  'node_modules/vitest/vitest.mjs',
  ...['run', '--project', 'core', '--execArgv=--expose-gc', '--execArgv=--max-semi-space-size=64'],
];

const running = new Set();

function kill(child) {
  process.kill(-child.pid, 'SIGKILL');
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) kill(child);
    process.exit(1);
  });
}

/** Runs `count` inputs from number `first` on. Returns whether they all mean the same. */
async function run(first, count) {
  const child = spawn(process.execPath, [...VITEST, `test/http/${level.test}.test.ts`], {
    cwd: root,
    stdio: 'inherit',
    // A group of its own: a worker of vitest's that hangs does not end with it.
    detached: true,
    env: {
      ...process.env,
      [level.variable]: String(count),
      NEARWIRE_FUZZ_FIRST: String(first),
      NEARWIRE_FUZZ_SEED: seed,
      NEARWIRE_FUZZ_SECONDS: seconds,
    },
  });
  running.add(child);
  const late = setTimeout(
    () => {
      console.error(`inputs ${first} to ${first + count - 1} of seed ${seed} have not ended: something hangs`);
      kill(child);
    },
    Math.min((Number(seconds) + GRACE_SECONDS) * 1000, 2 ** 31 - 1),
  );
  const [status] = await once(child, 'exit');
  clearTimeout(late);
  running.delete(child);
  return status === 0;
}

const share = Math.ceil(Number(cases) / processes);
const firsts = Array.from({ length: processes }, (_, i) => i * share).filter((first) => first < Number(cases));
const outcomes = await Promise.all(firsts.map((first) => run(first, Math.min(share, Number(cases) - first))));
process.exit(outcomes.every(Boolean) ? 0 : 1);
