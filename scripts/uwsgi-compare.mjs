// Compares the responses of one handler behind nginx's uwsgi_pass and behind its proxy_pass, byte by byte, for many
// more requests than the suite does. usage: uwsgi-compare.mjs [--requests N] [--seed S] [--transport native|js]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    transport: { type: 'string', default: 'native' },
  },
});
const { requests, seed, transport } = values;
const numbers = [requests, seed].map(Number);
if (numbers.some((number) => !Number.isSafeInteger(number) || number < 1) || !['native', 'js'].includes(transport)) {
  console.error('usage: uwsgi-compare.mjs [--requests N] [--seed S] [--transport native|js], whole numbers from 1 on');
  process.exit(2);
}
const words = [
  'node_modules/vitest/vitest.mjs',
  'run',
  'test/uwsgi/nginx-compare.test.ts',
  '-t',
  `nginx, ${transport} answers`,
];
const { status } = spawnSync(process.execPath, words, {
  cwd: root,
  stdio: 'inherit',
  // A run without nginx has compared nothing, and must fail.
  env: { ...process.env, CI: 'true', NEARWIRE_COMPARE_REQUESTS: requests, NEARWIRE_COMPARE_SEED: seed },
});
process.exit(status ?? 1);
