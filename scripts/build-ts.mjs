// Compiles src and bench into dist, and bundles what is shipped of src. Skipped where TypeScript is not installed: an installed package ships dist.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;
if (existsSync(tsc)) {
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  await import('./bundle.mjs');
} else if (!existsSync(`${root}dist/bundle/index.js`)) {
  console.error('dist is missing and TypeScript is not installed: run "npm ci" in a clone first');
  process.exit(1);
}
