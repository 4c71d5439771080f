// Builds a variant of the addon, next to the normal build: build-variants/NAME/build/Release/nearwire.node. usage:
// build-variant.mjs debug|asan|posix    Use it with NEARWIRE_ADDON=that file.
import { variantFolder } from './variant-folder.mjs';

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

const { gyp } = variantFolder(name);
gyp('configure', '--', ...settings);
gyp('build', 'nearwire', '--jobs', 'max');
console.log(`build-variants/${name}/build/Release/nearwire.node`);
