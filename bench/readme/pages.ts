/** The pages whose tables are generated from results, and the files of bench/results with the excerpts for them. */
import type { SweepJson } from '../tune/sweep.js';
import type { Excerpt } from './figures.js';
import { cellOf, GAIN_ROWS, renderFirstPage, renderGains } from './first-page.js';
import { growthExcerptOf, renderGrowth, renderGrowthBlock } from './growth-picture.js';
import { loadExcerptOf, renderLoad, renderLoadBlock, type BenchFile, type LoadExcerpt } from './load-picture.js';
import { renderLosses } from './losses.js';
import { renderPicture } from './picture.js';
import { renderSaved } from './saved-picture.js';
import { renderSweepBlock, sweepExcerptOf, type SweepExcerpt } from './sweep.js';
import { recordOf, referencesOf, renderBlock, renderReferences } from './tables.js';

export interface Page<Result, Recorded> {
  readonly page: string;
  /** The block of the page, if it has several. */
  readonly block?: string;
  /** The page consists of nothing else. */
  readonly isWhole?: boolean;
  /** The results: a list with one result, or one for each version of Node. */
  readonly file: string;
  /** Its few cases vary more between rounds: other pages of the result show whether the host was idle. */
  readonly mayDiffer?: boolean;
  /** Undefined if the result has nothing for this page. */
  recordOf(result: Result): Recorded | undefined;
  render(recorded: readonly Recorded[]): string;
}

const OF_README = { file: 'readme.json', recordOf: readmeExcerptOf } as const;
const OF_LOAD = { file: 'load.json', recordOf: loadExcerptOf } as const;
const OF_GROWTH = { file: 'growth.json', recordOf: growthExcerptOf } as const;

export const BENCH_PAGES: readonly (Page<BenchFile, Excerpt> | Page<BenchFile, LoadExcerpt>)[] = [
  { page: 'README.md', block: 'gains', ...OF_README, render: renderGains },
  { page: 'README.md', block: 'figures', ...OF_README, render: renderFirstPage },
  { page: 'docs/pictures/cpu.svg', isWhole: true, ...OF_README, render: renderPicture },
  { page: 'docs/pictures/saved.svg', isWhole: true, ...OF_README, render: renderSaved },
  { page: 'docs/performance.md', block: 'figures', ...OF_README, render: renderBlock },
  { page: 'docs/performance.md', block: 'losses', ...OF_README, render: renderLosses },
  { page: 'docs/pictures/load.svg', isWhole: true, ...OF_LOAD, render: renderLoad },
  { page: 'docs/performance.md', block: 'load', ...OF_LOAD, render: renderLoadBlock },
  { page: 'docs/pictures/growth.svg', isWhole: true, ...OF_GROWTH, render: renderGrowth },
  { page: 'docs/performance.md', block: 'growth', ...OF_GROWTH, render: renderGrowthBlock },
  {
    ...{ page: 'docs/zero-copy.md', file: 'zero-copy.json', mayDiffer: true },
    ...{ recordOf: referencesOf, render: renderReferences },
  },
];

/** A result of a few cases, for other pages, leaves the README unchanged. */
function readmeExcerptOf(result: BenchFile): Excerpt | undefined {
  const excerpt = recordOf(result);
  const isWhole = Object.values(GAIN_ROWS).every(
    (row) => cellOf(excerpt, row, 'native') && cellOf(excerpt, row, 'node:net'),
  );
  return isWhole ? excerpt : undefined;
}

export const SWEEP_PAGES: readonly Page<SweepJson, SweepExcerpt>[] = [
  { page: 'docs/tuning.md', file: 'tuning-sweep.json', recordOf: sweepExcerptOf, render: renderSweepBlock },
];

/** A page, and the excerpts that results have for it. */
export interface Taken<Result, Recorded> extends Omit<Page<Result, Recorded>, 'recordOf'> {
  readonly recorded: readonly Recorded[];
}

/** The pages for which these results have something. */
export function takenOf<Result, Recorded>(
  pages: readonly Page<Result, Recorded>[],
  results: readonly Result[],
): Taken<Result, Recorded>[] {
  return pages
    .map(({ recordOf: of, ...page }) => ({ ...page, recorded: results.flatMap((result) => of(result) ?? []) }))
    .filter(({ recorded }) => recorded.length > 0);
}
