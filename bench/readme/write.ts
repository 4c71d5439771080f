/** `npm run bench:readme -- RESULT.json`: the README's figures anew, from a result of `nearwire bench --json`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JsonResult } from '../json.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { excerptOf, renderBlock, replaceBlock } from './table.js';

const [file, ...more] = process.argv.slice(2);
if (file === undefined || more.length > 0) {
  console.error('usage: npm run bench:readme -- RESULT.json');
  process.exit(2);
}
const readme = join(PACKAGE_ROOT, 'README.md');
const excerpt = excerptOf(JSON.parse(readFileSync(file, 'utf8')) as JsonResult);
const text = replaceBlock(readFileSync(readme, 'utf8'), renderBlock(excerpt));
writeFileSync(join(PACKAGE_ROOT, 'bench', 'results', 'readme.json'), `${JSON.stringify(excerpt, null, 1)}\n`);
writeFileSync(readme, text);
