/**
 * `npm run bench:readme -- RESULT.json [--anyway]`: the figures of the README, of docs/performance.md and of docs/zero-copy.md
 * anew, from a result of `nearwire bench --json`, or those of docs/tuning-sweep.md, from one of `nearwire tune --json`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JsonResult } from '../json.js';
import { PACKAGE_ROOT } from '../package-root.js';
import type { SweepJson } from '../tune/sweep.js';
import { beyondLimit, renderLosses } from './losses.js';
import { refusalOf } from './quiet.js';
import { REFERENCES_FILE, referencesOf, renderReferences } from './references.js';
import { isSweep, renderSweepBlock, SWEEP_FILE, sweepExcerptOf } from './sweep.js';
import { excerptOf, renderBlock, replaceBlock } from './table.js';

const words = process.argv.slice(2);
const anyway = words.includes('--anyway');
const [file, ...more] = words.filter((word) => word !== '--anyway');
if (file === undefined || more.length > 0) {
  console.error('usage: npm run bench:readme -- RESULT.json [--anyway]');
  process.exit(2);
}
const result = JSON.parse(readFileSync(file, 'utf8')) as JsonResult | SweepJson;

function write(page: string, results: string, excerpt: object, block: string): void {
  const text = replaceBlock(readFileSync(page, 'utf8'), block, results);
  writeFileSync(join(PACKAGE_ROOT, 'bench', 'results', results), `${JSON.stringify(excerpt, null, 1)}\n`);
  writeFileSync(page, text);
}

function writeSweep(sweep: SweepJson): void {
  const excerpt = sweepExcerptOf(sweep);
  write(join(PACKAGE_ROOT, 'docs', 'tuning-sweep.md'), SWEEP_FILE, excerpt, renderSweepBlock(excerpt));
}

function writeBench(bench: JsonResult): void {
  const excerpt = excerptOf(bench);
  const refusal = anyway ? undefined : refusalOf(excerpt);
  if (refusal !== undefined) {
    console.error(refusal);
    process.exit(1);
  }
  write(join(PACKAGE_ROOT, 'README.md'), 'readme.json', excerpt, renderBlock(excerpt));
  write(join(PACKAGE_ROOT, 'docs', 'performance.md'), 'readme.json', excerpt, renderLosses(excerpt.losses));
  for (const beyond of beyondLimit(excerpt.ratios)) console.error(`note: plain C is no limit here: ${beyond}`);
  const page = join(PACKAGE_ROOT, 'docs', 'zero-copy.md');
  const references = referencesOf(bench);
  if (references && !existsSync(page)) console.error('note: there is no docs/zero-copy.md to show the rest in');
  else if (references) write(page, REFERENCES_FILE, references, renderReferences(references));
}

if (isSweep(result)) writeSweep(result);
else writeBench(result);
