// Runs the core of the suite on another node: the npm package `node` of that version, in build-variants/node-VERSION.
// The addon is the one that is built: it is made against Node-API, and serves every version.
// usage: test-node.mjs VERSION [vitest's words]    Needs `npm run build`.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CORE } from './core-tests.mjs';

const [version, ...words] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? '')) {
  console.error('usage: test-node.mjs VERSION [words for vitest]');
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build-variants/node-${version}`;
const node = `${folder}/node_modules/node/bin/node`;
if (!existsSync(node)) {
  mkdirSync(folder, { recursive: true });
  // Else npm takes the package that the folder lies in.
  writeFileSync(`${folder}/package.json`, '{ "private": true }\n');
  // The package brings its binary by a script of its own.
  const install = ['install', '--no-audit', '--no-fund', '--no-save', '--foreground-scripts', `node@${version}`];
  execFileSync('npm', install, { cwd: folder, stdio: 'inherit' });
}
const running = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
if (!running.startsWith(`v${version}`)) throw new Error(`asked for node ${version}, got ${running}`);
console.log(`node ${running}`);
const { status } = spawnSync(node, ['node_modules/vitest/vitest.mjs', 'run', ...CORE, ...words], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
