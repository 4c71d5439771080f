/**
 * `npm run bench:readme -- RESULT.json... [--anyway]`: the figures of pages.ts anew, from a result of `nearwire bench --json`
 * or from one of each version of Node, or from one of `nearwire tune --json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JsonResult } from '../json.js';
import { PACKAGE_ROOT, REPOSITORY } from '../package-root.js';
import type { SweepJson } from '../tune/sweep.js';
import { beyondLimit } from './losses.js';
import { partsOf } from './markdown.js';
import { BENCH_PAGES, SWEEP_PAGES, type Page } from './pages.js';
import { reasonsOf } from './quiet.js';
import { isSweep } from './sweep.js';
import { recordOf } from './tables.js';

function fail(words: string, code: number): never {
  console.error(words);
  process.exit(code);
}

function write<Result, Recorded>(pages: readonly Page<Result, Recorded>[], results: readonly Result[]): void {
  for (const { page, file, block: name, isWhole, ...of } of pages) {
    const recorded = results.flatMap((result) => of.recordOf(result) ?? []);
    if (recorded.length === 0) continue;
    const path = join(REPOSITORY, page);
    const [before, , after] = isWhole === true ? ['', '', ''] : partsOf(readFileSync(path, 'utf8'), file, name);
    const block = of.render(recorded);
    writeFileSync(join(PACKAGE_ROOT, 'results', file), `${JSON.stringify(recorded, null, 1)}\n`);
    writeFileSync(path, `${before}${block}${after}`);
  }
}

function writeBench(results: readonly JsonResult[]): void {
  const reasons = reasonsOf(results.map(recordOf));
  if (reasons.length > 0 && !anyway) {
    fail(['not fit for the README; --anyway writes it there, with these reasons:', ...reasons].join('\n  '), 1);
  }
  write(BENCH_PAGES, results);
  for (const beyond of results.flatMap(({ ratios }) => beyondLimit(ratios))) {
    console.error(`note: plain C is no limit here: ${beyond}`);
  }
}

const words = process.argv.slice(2);
const anyway = words.includes('--anyway');
const files = words.filter((word) => word !== '--anyway');
const read = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as JsonResult | SweepJson);
const sweeps = read.filter(isSweep);
if (read.length === 0 || (sweeps.length > 0 && read.length > 1)) {
  fail('usage: npm run bench:readme -- RESULT.json... [--anyway]: of the bench, or one of the sweep', 2);
}
if (sweeps.length > 0) write(SWEEP_PAGES, sweeps);
else writeBench(read);
