// Copies the benchmark's built C program into the package nearwire-bench, so that users need no compiler.
import { copyFileSync, chmodSync, existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('../bench/', import.meta.url));
const folder = `${bench}prebuilds/${process.platform}-${process.arch}`;
const floor = `${bench}floor/build/Release/floor`;
if (!existsSync(floor)) {
  console.error('run "npm run build:floor" first: no bench/floor/build/Release/floor');
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
copyFileSync(floor, `${folder}/floor`);
chmodSync(`${folder}/floor`, 0o755);
