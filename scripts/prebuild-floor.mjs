// Puts the benchmark's C program beside the prebuilt addon, so that an installed package has both without a compiler.
import { copyFileSync, chmodSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}prebuilds/${process.platform}-${process.arch}`;
const floor = `${root}build/Release/floor`;
if (!existsSync(folder) || !existsSync(floor)) {
  console.error('run "prebuildify --napi" first: no prebuilt addon or no build/Release/floor');
  process.exit(1);
}
copyFileSync(floor, `${folder}/floor`);
chmodSync(`${folder}/floor`, 0o755);
