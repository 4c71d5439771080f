/** From a result to what is shown of it. */
import { CASES } from '../cases/index.js';
import { growth as growthCase } from '../cases/messages.js';
import { load as loadCase } from '../cases/http.js';
import { describeParams, describeSeries } from '../format.js';
import type { BenchCase, BenchResult, Sample, SeriesResult } from '../model.js';
import { headlinesOf, medianOf } from '../statistics.js';
import { blockOf, measured, type Figure } from './blocks.js';
import { shownRatio } from './cells.js';
import { growthBlocks } from './growth.js';
import { loadBlocks } from './load.js';
import type { Block, Report } from './model.js';

export function reportOf(result: BenchResult): Report {
  return {
    subjects: result.lineup.filter(({ name }) => result.cells.some(({ subject }) => subject === name)),
    headlines: headlinesOf(result.ratios).map(({ case: name, measure, ratios }) => ({
      ...{ case: name, measure, params: describeParams(ratios[0]?.params ?? {}) },
      ratios: ratios.map((ratio) => ({ subject: ratio.subject, ...shownRatio(ratio) })),
    })),
    sections: CASES.flatMap((benchCase) => {
      const results = result.results.filter(({ series, samples }) => series.case === benchCase && samples.length > 0);
      if (results.length === 0) return [];
      const { name, title } = benchCase;
      if (benchCase === loadCase) return [{ name, title, blocks: loadBlocks(result, results) }];
      const grown = benchCase === growthCase ? growthBlocks(result, results) : [];
      return [{ name, title, blocks: [...grown, caseBlock(result, benchCase, results)] }];
    }),
  };
}

/** All measures, and below them how sure they are and how busy the client was: near 100 %, it may have been the limit. */
function caseBlock(result: BenchResult, { name, measures }: BenchCase, results: readonly SeriesResult[]): Block {
  const paramsVary = new Set(results.map(({ series }) => describeParams(series.params))).size > 1;
  const figures = [
    ...measures.map((measure) => measured(result, measure, measure.name)),
    beside(
      'margin',
      ({ rme }) => rme,
      (rme) => `±${rme.toFixed(1)} %`,
    ),
    beside(
      'client CPU',
      ({ clientShare }) => clientShare,
      (share) => `${(share * 100).toFixed(0)} %`,
    ),
  ];
  const entries = results.map((entry) => ({
    ...{ entry, label: describeSeries(entry.series.params, entry.series.family, paramsVary) },
  }));
  const note = measures.map((measure) => `${measure.name}: ${measure.meaning}, ${measure.better} is better`).join('; ');
  return { ...blockOf(result, name, entries, figures), note };
}

function beside(
  name: string,
  valueOf: (sample: Sample) => number | undefined,
  textOf: (value: number) => string,
): Figure {
  return {
    ...{ name, muted: true },
    cellOf(entry, subject) {
      const value = medianOf(entry, subject.name, valueOf);
      return value === undefined ? '' : textOf(value);
    },
  };
}
