/**
 * `npm run bench:readme -- [RESULT.json...] [--anyway]`: regenerates the pages of pages.ts, from a result of `nearwire
 * bench --json` or one for each version of Node, or from one of `nearwire tune --json`. Without a result it uses the
 * recorded excerpts, after a change of the code that draws them.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE_ROOT, REPOSITORY } from '../package-root.js';
import type { SweepJson } from '../tune/sweep.js';
import { beyondLimit } from './losses.js';
import type { BenchFile } from './load-picture.js';
import { partsOf } from './markdown.js';
import { BENCH_PAGES, SWEEP_PAGES, takenOf, type Page, type Taken } from './pages.js';
import { reasonsOf } from './quiet.js';
import { isSweep } from './sweep.js';

function fail(words: string, code: number): never {
  console.error(words);
  process.exit(code);
}

const pathOf = (file: string): string => join(PACKAGE_ROOT, 'results', file);

function render<Result, Recorded>({ page, file, block, isWhole, recorded, ...of }: Taken<Result, Recorded>): void {
  const path = join(REPOSITORY, page);
  const [before, , after] = isWhole === true ? ['', '', ''] : partsOf(readFileSync(path, 'utf8'), file, block);
  writeFileSync(path, `${before}${of.render(recorded)}${after}`);
}

function write<Result, Recorded>(taken: readonly Taken<Result, Recorded>[]): void {
  for (const page of taken) {
    writeFileSync(pathOf(page.file), `${JSON.stringify(page.recorded, null, 1)}\n`);
    render(page);
  }
}

/** Uses the recorded excerpts; a page without a record stays unchanged. */
function renderAgain<Result, Recorded>(pages: readonly Page<Result, Recorded>[]): void {
  for (const page of pages.filter(({ file }) => existsSync(pathOf(file)))) {
    render({ ...page, recorded: JSON.parse(readFileSync(pathOf(page.file), 'utf8')) as Recorded[] });
  }
}

function writeBench(results: readonly BenchFile[]): void {
  const taken = takenOf(BENCH_PAGES, results);
  if (taken.length === 0) fail('no page shows what this result has', 1);
  const judged = taken.filter(({ mayDiffer }) => mayDiffer !== true);
  const reasons = [...new Set(judged.flatMap(({ recorded }) => reasonsOf(recorded)))];
  if (reasons.length > 0 && !anyway) {
    fail(['not fit for the README; --anyway writes it there, with these reasons:', ...reasons].join('\n  '), 1);
  }
  write(taken);
  for (const beyond of results.flatMap(({ ratios }) => beyondLimit(ratios))) {
    console.error(`note: plain C is no limit here: ${beyond}`);
  }
}

const words = process.argv.slice(2);
const anyway = words.includes('--anyway');
const files = words.filter((word) => word !== '--anyway');
const read = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as BenchFile | SweepJson);
const sweeps = read.filter(isSweep);
if (sweeps.length > 0 && read.length > 1) {
  fail('usage: npm run bench:readme -- [RESULT.json...] [--anyway]: of the bench, or one of the sweep', 2);
}
if (read.length === 0) {
  renderAgain(BENCH_PAGES);
  renderAgain(SWEEP_PAGES);
} else if (sweeps.length > 0) write(takenOf(SWEEP_PAGES, sweeps));
else writeBench(read);
