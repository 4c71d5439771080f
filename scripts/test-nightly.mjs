// The searches that are too long for each change: mutated requests and packets, each night others, and all vectors.
// usage: test-nightly.mjs [--seed S]; without one, the day is the seed, which each search says again when it fails.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const DAY = 86_400_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { seed: { type: 'string', default: String(Math.floor(Date.now() / DAY)) } } });
const { seed } = values;
if (!Number.isSafeInteger(Number(seed)) || Number(seed) < 1) {
  console.error('usage: test-nightly.mjs [--seed S], a whole number from 1 on');
  process.exit(2);
}
const VITEST = ['node_modules/vitest/vitest.mjs', 'run'];

/** @type {[name: string, words: string[], variables?: Record<string, string>][]} */
const searches = [
  ['mutated requests, scanned', ['scripts/fuzz-http.mjs', '--cases', '1000000', '--seed', seed]],
  // As many as fit in five minutes, of a million.
  [
    'mutated conversations, in memory',
    ['scripts/fuzz-http.mjs', '--connections', '--cases', '1000000', '--seconds', '300', '--seed', seed],
  ],
  [
    'mutated conversations with fetch handlers, in memory',
    ['scripts/fuzz-http.mjs', '--connections', '--fetch', '--cases', '1000000', '--seconds', '120', '--seed', seed],
  ],
  ['mutated conversations, on sockets', ['scripts/fuzz-http.mjs', '--sockets', '--cases', '20000', '--seed', seed]],
  ['uwsgi packets', ['scripts/uwsgi-fuzz.mjs', '--packets', '1000000', '--connections', '20000', '--seed', seed]],
  ['all vectors', [...VITEST, 'test/http/vectors.test.ts', 'test/http/strict.test.ts'], { NEARWIRE_VECTORS_ALL: '1' }],
  [
    'programs of responses',
    [...VITEST, 'test/http/response-programs.test.ts'],
    { NEARWIRE_FUZZ_PROGRAMS: '20000', NEARWIRE_FUZZ_SEED: seed },
  ],
  [
    'programs of channels',
    [...VITEST, 'test/channel'],
    { NEARWIRE_CHANNEL_PROGRAMS: '10000', NEARWIRE_CHANNEL_SEED: seed },
  ],
];

const failed = searches.filter(([name, words, variables]) => {
  console.log(`\n=== ${name}, seed ${seed}`);
  const { status } = spawnSync(process.execPath, words, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...variables },
  });
  return status !== 0;
});
for (const [name] of failed) console.error(`failed: ${name}, seed ${seed}`);
process.exit(failed.length === 0 ? 0 : 1);
