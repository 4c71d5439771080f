// Sends many more fuzzed packets to the uwsgi server than the suite does: to its reader, and over connections.
// usage: uwsgi-fuzz.mjs [--packets N] [--connections N] [--seed S] [--asan]
// With --asan it uses the addon built with sanitizers (build-variant.mjs asan), and fails for their errors and leaks.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '1000000' },
    connections: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    asan: { type: 'boolean', default: false },
  },
});
const { packets, connections, seed, asan } = values;
if ([packets, connections, seed].some((value) => !Number.isSafeInteger(Number(value)) || Number(value) < 1)) {
  console.error('usage: uwsgi-fuzz.mjs [--packets N] [--connections N] [--seed S] [--asan], whole numbers from 1 on');
  process.exit(2);
}
const test = 'test/fuzz/uwsgi.test.ts';
const words = asan ? ['scripts/test-asan.mjs', test] : ['node_modules/vitest/vitest.mjs', 'run', test];
const { status } = spawnSync(process.execPath, words, {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    NEARWIRE_FUZZ_PACKETS: packets,
    NEARWIRE_FUZZ_CONNECTIONS: connections,
    NEARWIRE_FUZZ_SEED: seed,
  },
});
process.exit(status ?? 1);
