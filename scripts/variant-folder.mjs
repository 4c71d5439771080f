// A folder in build-variants where node-gyp can run next to the normal build: it builds in its current folder, so a
// folder of links keeps the variants apart.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

// For the addon, or for the benchmark's C program (`source`: 'bench/floor/'). Returns the folder, and node-gyp bound to
// it.
export function variantFolder(name, stdio = 'inherit', source = '') {
  const folder = `${root}build-variants/${name}`;
  mkdirSync(folder, { recursive: true });
  const entries =
    source === '' ? ['binding.gyp', 'native', 'package.json', 'node_modules'] : readdirSync(root + source);
  for (const entry of entries.filter((name) => name !== 'build')) {
    if (!existsSync(`${folder}/${entry}`)) symlinkSync(`${root}${source}${entry}`, `${folder}/${entry}`);
  }
  const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  const gyp = (...words) => execFileSync(process.execPath, [nodeGyp, ...words], { cwd: folder, stdio });
  return { folder, gyp };
}
