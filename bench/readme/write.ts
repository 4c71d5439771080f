/**
 * `npm run bench:readme -- RESULT.json`: the figures of the README and of docs/zero-copy.md anew, from a result of
 * `nearwire bench --json`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JsonResult } from '../json.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { REFERENCES_FILE, referencesOf, renderReferences } from './references.js';
import { excerptOf, renderBlock, replaceBlock, type Excerpt } from './table.js';

const [file, ...more] = process.argv.slice(2);
if (file === undefined || more.length > 0) {
  console.error('usage: npm run bench:readme -- RESULT.json');
  process.exit(2);
}
const readmePage = join(PACKAGE_ROOT, 'README.md');
const referencesPage = join(PACKAGE_ROOT, 'docs', 'zero-copy.md');
const result = JSON.parse(readFileSync(file, 'utf8')) as JsonResult;

function write(page: string, results: string, excerpt: Excerpt, block: string): void {
  const text = replaceBlock(readFileSync(page, 'utf8'), block, results);
  writeFileSync(join(PACKAGE_ROOT, 'bench', 'results', results), `${JSON.stringify(excerpt, null, 1)}\n`);
  writeFileSync(page, text);
}

const excerpt = excerptOf(result);
write(readmePage, 'readme.json', excerpt, renderBlock(excerpt));
const references = referencesOf(result);
if (references && !existsSync(referencesPage)) console.error('note: there is no docs/zero-copy.md to show the rest in');
else if (references) write(referencesPage, REFERENCES_FILE, references, renderReferences(references));
