// Compiles src into dist, bundles the shipped part of it, and compiles bench into bench/dist. Skipped if TypeScript is
// not installed: an installed package ships dist.
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;
// The bench imports nearwire as its users do. npm links workspaces into node_modules, but not the root package.
const self = `${root}node_modules/nearwire`;

function compile(project) {
  execFileSync(process.execPath, [tsc, '-p', `${project}/tsconfig.build.json`], { cwd: root, stdio: 'inherit' });
}

if (existsSync(tsc)) {
  if (!existsSync(self)) symlinkSync('..', self);
  compile('.');
  await import('./bundle.mjs');
  compile('bench');
} else if (!existsSync(`${root}dist/bundle/index.js`)) {
  console.error('dist is missing and TypeScript is not installed: run "npm ci" in a clone first');
  process.exit(1);
}
