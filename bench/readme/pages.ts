/** The pages whose tables are made of results, and the files of bench/results that hold what these need. */
import type { JsonResult } from '../json.js';
import type { SweepJson } from '../tune/sweep.js';
import type { Excerpt } from './figures.js';
import { renderFirstPage, renderGains } from './first-page.js';
import { renderLosses } from './losses.js';
import { renderPicture } from './picture.js';
import { renderSweepBlock, sweepExcerptOf, type SweepExcerpt } from './sweep.js';
import { recordOf, referencesOf, renderBlock, renderReferences } from './tables.js';

export interface Page<Result, Recorded> {
  readonly page: string;
  /** Which block of the page, where it has several. */
  readonly block?: string;
  /** The page is nothing else. */
  readonly isWhole?: boolean;
  /** The results: a list of one, or of one of each version of Node. */
  readonly file: string;
  /** Undefined of a result that has nothing for it. */
  recordOf(result: Result): Recorded | undefined;
  render(recorded: readonly Recorded[]): string;
}

export const BENCH_PAGES: readonly Page<JsonResult, Excerpt>[] = [
  { page: 'README.md', block: 'gains', file: 'readme.json', recordOf, render: renderGains },
  { page: 'README.md', block: 'figures', file: 'readme.json', recordOf, render: renderFirstPage },
  { page: 'docs/pictures/cpu.svg', isWhole: true, file: 'readme.json', recordOf, render: renderPicture },
  { page: 'docs/performance.md', block: 'figures', file: 'readme.json', recordOf, render: renderBlock },
  { page: 'docs/performance.md', block: 'losses', file: 'readme.json', recordOf, render: renderLosses },
  { page: 'docs/zero-copy.md', file: 'zero-copy.json', recordOf: referencesOf, render: renderReferences },
];

export const SWEEP_PAGES: readonly Page<SweepJson, SweepExcerpt>[] = [
  { page: 'docs/tuning.md', file: 'tuning-sweep.json', recordOf: sweepExcerptOf, render: renderSweepBlock },
];
