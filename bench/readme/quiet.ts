/** Whether results are fit for the README: from an idle host, with all planned rounds, which agree. */
import { CASES } from '../cases/index.js';
import type { RatioResult } from '../model.js';
import { PACES } from '../pace.js';
import { median } from '../statistics.js';
import { SUBJECTS } from '../subjects.js';
import { nodeOf, type Excerpt } from './figures.js';

/** Load average per core above which `nearwire bench` warns too. */
const BUSY_LOAD = 0.25;
/** Highest / lowest of a ratio's rounds, as the median of all ratios. It is 1.1 on an idle host. */
const RESTLESS = 1.3;

/**
 * Why they are not fit; empty if they are. All results of one table must be of one host and one commit, each on a Node
 * of its own.
 */
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
  // If nothing failed in a baseline's round, there is no ratio of failures.
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

/** The number of rounds in a default run. */
function plannedRounds({ case: name, family, subject, baseline }: RatioResult): number {
  const { rounds, tcpRounds } = PACES.default;
  const limited = [
    ...CASES.filter((entry) => entry.name === name),
    ...SUBJECTS.filter((entry) => [subject, baseline].includes(entry.name)),
  ];
  return Math.min(family === 'tcp' ? tcpRounds : rounds, ...limited.map((entry) => entry.rounds?.default ?? rounds));
}

/** For the lines below a table that was made with --anyway. */
export function describeUnrest(excerpts: readonly Excerpt[]): string[] {
  const reasons = reasonsOf(excerpts);
  return reasons.length === 0 ? [] : ['', `**Not of a host at rest**: ${reasons.join('; ')}.`];
}
