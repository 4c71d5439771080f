/**
 * `npm run bench:readme -- RESULT.json... [--anyway]`: the figures of the README, of docs/performance.md and of
 * docs/zero-copy.md anew, from a result of `nearwire bench --json` or from one of each version of Node, or those of
 * docs/tuning-sweep.md, from one of `nearwire tune --json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JsonResult } from '../json.js';
import { PACKAGE_ROOT } from '../package-root.js';
import type { SweepJson } from '../tune/sweep.js';
import { beyondLimit, renderLosses } from './losses.js';
import { replaceBlock } from './markdown.js';
import { refusalOf } from './quiet.js';
import { REFERENCES_FILE, referencesOf, renderReferences } from './references.js';
import { isSweep, renderSweepBlock, SWEEP_FILE, sweepExcerptOf } from './sweep.js';
import { excerptOf, renderBlock } from './table.js';

function fail(words: string, code: number): never {
  console.error(words);
  process.exit(code);
}

function write(page: string, results: string, recorded: object, block: string): void {
  const path = join(PACKAGE_ROOT, page);
  const text = replaceBlock(readFileSync(path, 'utf8'), block, results);
  writeFileSync(join(PACKAGE_ROOT, 'bench', 'results', results), `${JSON.stringify(recorded, null, 1)}\n`);
  writeFileSync(path, text);
}

function writeSweep(sweep: SweepJson): void {
  const excerpt = sweepExcerptOf(sweep);
  write('docs/tuning-sweep.md', SWEEP_FILE, excerpt, renderSweepBlock(excerpt));
}

function writeBench(results: readonly JsonResult[]): void {
  const excerpts = results.map(excerptOf);
  const refusal = anyway ? undefined : refusalOf(excerpts);
  if (refusal !== undefined) fail(refusal, 1);
  const recorded = excerpts.length === 1 ? (excerpts[0] ?? {}) : excerpts;
  write('README.md', 'readme.json', recorded, renderBlock(excerpts));
  write('docs/performance.md', 'readme.json', recorded, renderLosses(excerpts));
  for (const beyond of excerpts.flatMap(({ ratios }) => beyondLimit(ratios))) {
    console.error(`note: plain C is no limit here: ${beyond}`);
  }
  const [references] = results.flatMap((result) => referencesOf(result) ?? []);
  if (references) write('docs/zero-copy.md', REFERENCES_FILE, references, renderReferences(references));
}

const words = process.argv.slice(2);
const anyway = words.includes('--anyway');
const files = words.filter((word) => word !== '--anyway');
const read = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as JsonResult | SweepJson);
const sweeps = read.filter(isSweep);
const benches = read.filter((result): result is JsonResult => !isSweep(result));
const [sweep] = sweeps;
if (read.length === 0 || (sweep && read.length > 1)) {
  fail('usage: npm run bench:readme -- RESULT.json... [--anyway]: of the bench, or one of the sweep', 2);
}
if (sweep) writeSweep(sweep);
else writeBench(benches);
