/** The pages whose tables are made of results, and the files of bench/results that hold what these need. */
import type { JsonResult } from '../json.js';
import type { SweepJson } from '../tune/sweep.js';
import type { Excerpt } from './figures.js';
import { renderLosses } from './losses.js';
import { renderSweepBlock, sweepExcerptOf, type SweepExcerpt } from './sweep.js';
import { recordOf, referencesOf, renderBlock, renderReferences } from './tables.js';

export interface Page<Result, Recorded> {
  readonly page: string;
  /** A list: one, or one of each version of Node. */
  readonly file: string;
  /** Undefined of a result that has nothing for it. */
  recordOf(result: Result): Recorded | undefined;
  render(recorded: readonly Recorded[]): string;
}

export const BENCH_PAGES: readonly Page<JsonResult, Excerpt>[] = [
  { page: 'README.md', file: 'readme.json', recordOf, render: renderBlock },
  { page: 'docs/performance.md', file: 'readme.json', recordOf, render: renderLosses },
  { page: 'docs/zero-copy.md', file: 'zero-copy.json', recordOf: referencesOf, render: renderReferences },
];

export const SWEEP_PAGES: readonly Page<SweepJson, SweepExcerpt>[] = [
  { page: 'docs/tuning-sweep.md', file: 'tuning-sweep.json', recordOf: sweepExcerptOf, render: renderSweepBlock },
];
