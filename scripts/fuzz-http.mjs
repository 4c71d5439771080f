// Sends many more mutated requests to the HTTP engine than the suite does: to its scanner of plain requests, or with
// --connections over whole connections, and compares what they mean with what they mean to node:http.
// usage: fuzz-http.mjs [--cases N] [--seconds N] [--seed S] [--connections]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    seconds: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'boolean', default: false },
  },
});
const { connections, seconds, seed, cases = connections ? '20000' : '10000000' } = values;
if ([cases, seconds, seed].some((value) => !Number.isSafeInteger(Number(value)) || Number(value) < 1)) {
  console.error('usage: fuzz-http.mjs [--cases N] [--seconds N] [--seed S] [--connections], whole numbers from 1 on');
  process.exit(2);
}
const test = `test/http/${connections ? 'fuzz-connections' : 'fuzz'}.test.ts`;
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'core', test], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    [connections ? 'NEARWIRE_FUZZ_CONNECTIONS' : 'NEARWIRE_FUZZ_CASES']: cases,
    NEARWIRE_FUZZ_SEED: seed,
    NEARWIRE_FUZZ_SECONDS: seconds,
  },
});
process.exit(status ?? 1);
