/** Whether results are fit for the README: of a host at rest, of all rounds that are planned, which agree. */
import { CASES } from '../cases/index.js';
import type { RatioResult } from '../model.js';
import { PACES } from '../pace.js';
import { median } from '../statistics.js';
import { SUBJECTS } from '../subjects.js';
import { nodeOf, type Excerpt } from './figures.js';

/** Load average a core: from there on `nearwire bench` warns too. */
const BUSY_LOAD = 0.25;
/** Highest / lowest of a ratio's rounds, in the middle of all ratios. On a host at rest it is 1.1. */
const RESTLESS = 1.3;

/** Why they are not; nothing if they are. All that one table is made of: one host and one commit, each on a Node of its own. */
export function reasonsOf(excerpts: readonly Excerpt[]): string[] {
  const different = (partOf: (excerpt: Excerpt) => unknown): number =>
    new Set(excerpts.map((excerpt) => JSON.stringify(partOf(excerpt)))).size;
  return [
    ...excerpts.flatMap((excerpt) => {
      const node = nodeOf(excerpt, excerpts);
      return unrestOf(excerpt).map((reason) => [node, reason].filter(Boolean).join(': '));
    }),
    ...(different(({ host: { cpu, cores, kernel } }) => [cpu, cores, kernel]) > 1
      ? ['they are of different hosts']
      : []),
    ...(different(({ versions }) => versions.commit) > 1 ? ['they are of different commits'] : []),
    ...(different(({ versions }) => versions.node) < excerpts.length ? ['two are of one version of Node'] : []),
  ];
}

function unrestOf({ host, ratios }: Excerpt): string[] {
  // Against a round in which nothing failed there is no ratio of what failed.
  const short = ratios.filter((ratio) => ratio.measure !== 'failed' && ratio.rounds < plannedRounds(ratio));
  const spreads = ratios.filter(({ low }) => low > 0).map(({ low, high }) => high / low);
  const spread = spreads.length === 0 ? 1 : median(spreads);
  return [
    ...(host.load > BUSY_LOAD * host.cores
      ? [`the load was ${String(host.load)} on ${String(host.cores)} cores before the start`]
      : []),
    ...(short.length > 0
      ? [`${String(short.length)} of ${String(ratios.length)} ratios are of fewer rounds than planned`]
      : []),
    ...(spread > RESTLESS
      ? [`the highest round of a ratio is ${spread.toFixed(2)} times its lowest, in the median`]
      : []),
  ];
}

/** As a default run has them. */
function plannedRounds({ case: name, family, subject, baseline }: RatioResult): number {
  const { rounds, tcpRounds } = PACES.default;
  const limited = [
    ...CASES.filter((entry) => entry.name === name),
    ...SUBJECTS.filter((entry) => [subject, baseline].includes(entry.name)),
  ];
  return Math.min(family === 'tcp' ? tcpRounds : rounds, ...limited.map((entry) => entry.rounds?.default ?? rounds));
}

/** For the lines under the table, where somebody wanted it there anyway. */
export function describeUnrest(excerpts: readonly Excerpt[]): string[] {
  const reasons = reasonsOf(excerpts);
  return reasons.length === 0 ? [] : ['', `**Not of a host at rest**: ${reasons.join('; ')}.`];
}
