// Builds the addon another way, beside the normal build: build-variants/NAME/build/Release/nearwire.node.
// usage: build-variant.mjs debug|asan|posix    Use it with NEARWIRE_ADDON=that file.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const variants = {
  debug: ['-Dassertions=1'],
  asan: ['-Dassertions=1', '-Dsanitize=address,undefined'],
  posix: ['-Dsys=posix', '-Dassertions=1'],
};

const name = process.argv[2];
const settings = variants[name];
if (settings === undefined) {
  console.error(`usage: build-variant.mjs ${Object.keys(variants).join('|')}`);
  process.exit(2);
}

// node-gyp builds in the folder it is run in: a folder of links keeps the variants apart.
const folder = `${root}build-variants/${name}`;
mkdirSync(folder, { recursive: true });
for (const entry of ['binding.gyp', 'native', 'bench', 'package.json', 'node_modules']) {
  if (!existsSync(`${folder}/${entry}`)) symlinkSync(`${root}${entry}`, `${folder}/${entry}`);
}
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const run = (...words) => execFileSync(process.execPath, [nodeGyp, ...words], { cwd: folder, stdio: 'inherit' });
run('configure', '--', ...settings);
run('build', 'nearwire', '--jobs', 'max');
console.log(`build-variants/${name}/build/Release/nearwire.node`);
