// Puts the benchmark's C program, built, into the package nearwire-bench, so that it needs no compiler where it is installed.
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
