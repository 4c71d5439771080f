/** Builds a report from a result. */
import { CASES } from '../cases/index.js';
import { growth as growthCase } from '../cases/messages.js';
import { load as loadCase } from '../cases/http.js';
import { describeParams, describeSeries } from '../format.js';
import type { BenchCase, BenchResult, RatioResult, SeriesResult } from '../model.js';
import { judge, medianOf, NODE_BASELINES, OURS } from '../statistics.js';
import { blockOf, entryOf, measured, shownRatio, type Figure } from './blocks.js';
import { growthBlocks } from './growth.js';
import { loadBlocks } from './load.js';
import type { Block, Headline, Report } from './model.js';

export function reportOf(result: BenchResult): Report {
  return {
    subjects: result.lineup.filter(({ name }) => result.cells.some(({ subject }) => subject === name)),
    headlines: CASES.flatMap((benchCase) => headlineOf(benchCase, result.ratios)),
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

/** For the first parameters. */
function headlineOf({ name, measures, headline }: BenchCase, ratios: readonly RatioResult[]): Headline[] {
  const measure = measures.find((entry) => entry.name === headline);
  const there = ratios.filter(
    (ratio) => ratio.case === name && ratio.measure === measure?.name && ratio.family === 'unix',
  );
  const found = NODE_BASELINES.flatMap((baseline) =>
    OURS.flatMap((subject) => there.find((entry) => entry.subject === subject && entry.baseline === baseline) ?? []),
  );
  const [first] = found;
  if (!measure || !first) return [];
  const shown = found.map((ratio) => ({ subject: ratio.subject, ...shownRatio(ratio, ratio.baseline, judge(ratio)) }));
  return [{ case: name, measure, params: describeParams(first.params), ratios: shown }];
}

/** The precision of the measures, and how busy the client was: near 100 %, it may have been the limit. */
const BESIDE: readonly Figure[] = [
  {
    ...{ name: 'margin', muted: true },
    cellOf({ of }, { name }) {
      const rme = medianOf(of, name, (sample) => sample.rme);
      return rme === undefined ? '' : `±${rme.toFixed(1)} %`;
    },
  },
  {
    ...{ name: 'client CPU', muted: true },
    cellOf({ of }, { name }) {
      const share = medianOf(of, name, ({ clientShare }) => clientShare);
      return share === undefined ? '' : `${(share * 100).toFixed(0)} %`;
    },
  },
];

function caseBlock(result: BenchResult, { name, measures }: BenchCase, results: readonly SeriesResult[]): Block {
  const paramsVary = new Set(results.map(({ series }) => describeParams(series.params))).size > 1;
  const figures = [...measures.map((measure) => measured(measure, measure.name)), ...BESIDE];
  const entries = results.map((of) =>
    entryOf(result, of, { label: describeSeries(of.series.params, of.series.family, paramsVary) }),
  );
  const note = measures.map((measure) => `${measure.name}: ${measure.meaning}, ${measure.better} is better`).join('; ');
  return { ...blockOf(result, name, entries, figures), note };
}
