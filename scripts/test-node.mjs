// Runs the core of the suite on another node: the npm package `node` of that version, in build-variants/node-VERSION.
// The addon is the normal build: it uses Node-API, and works with every version.
// usage: test-node.mjs VERSION [vitest's arguments]    Needs `npm run build`.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeFromNpm } from '../bench/dist/other-node.js';
import { CORE } from './core-tests.mjs';

const [version, ...words] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? '')) {
  console.error('usage: test-node.mjs VERSION [words for vitest]');
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const node = await nodeFromNpm(version, `${root}build-variants/node-${version}`);
const running = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
if (!running.startsWith(`v${version}`)) throw new Error(`asked for node ${version}, got ${running}`);
console.log(`node ${running}`);
const { status } = spawnSync(node, ['node_modules/vitest/vitest.mjs', 'run', ...CORE, ...words], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
