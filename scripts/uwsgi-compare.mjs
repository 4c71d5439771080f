// Compares the answers of one handler behind nginx's uwsgi_pass and behind its proxy_pass, byte by byte, for many more
// requests than the suite does. usage: uwsgi-compare.mjs [--requests N] [--seed S]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { requests: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const numbers = Object.values(values).map(Number);
if (numbers.some((number) => !Number.isSafeInteger(number) || number < 1)) {
  console.error('usage: uwsgi-compare.mjs [--requests N] [--seed S], whole numbers from 1 on');
  process.exit(2);
}
const words = ['node_modules/vitest/vitest.mjs', 'run', 'test/uwsgi-nginx-compare.test.ts', '-t', 'of all kinds'];
const { status } = spawnSync(process.execPath, words, {
  cwd: root,
  stdio: 'inherit',
  // A run without nginx has compared nothing.
  env: { ...process.env, CI: 'true', NEARWIRE_COMPARE_REQUESTS: values.requests, NEARWIRE_COMPARE_SEED: values.seed },
});
process.exit(status ?? 1);
