/** Whether a result is fit for the README: of a host at rest, of all rounds that are planned, which agree. */
import { CASES } from '../cases/index.js';
import type { RatioResult } from '../model.js';
import { PACES } from '../pacer.js';
import { median } from '../statistics.js';
import { SUBJECTS } from '../subjects.js';
import { nodeOf, type Excerpt } from './excerpt.js';

/** Load average a core: from there on `nearwire bench` warns too. */
const BUSY_LOAD = 0.25;
/** Highest / lowest of a ratio's rounds, in the middle of all ratios. On a host at rest it is 1.1. */
const RESTLESS = 1.3;

/** Why it is not; nothing if it is. */
export function unrestOf({ host, ratios }: Pick<Excerpt, 'host' | 'ratios'>): string[] {
  const reasons: string[] = [];
  if (host.load > BUSY_LOAD * host.cores) {
    reasons.push(`the load was ${String(host.load)} on ${String(host.cores)} cores before the start`);
  }
  const short = ratios.filter((ratio) => ratio.rounds < plannedRounds(ratio));
  if (short.length > 0) {
    reasons.push(`${String(short.length)} of ${String(ratios.length)} ratios are of fewer rounds than planned`);
  }
  const spreads = ratios.filter(({ low }) => low > 0).map(({ low, high }) => high / low);
  const spread = spreads.length === 0 ? 1 : median(spreads);
  if (spread > RESTLESS) {
    reasons.push(`the highest round of a ratio is ${spread.toFixed(2)} times its lowest, in the median`);
  }
  return reasons;
}

/** As a default run has them. */
function plannedRounds({ case: name, family, subject, baseline }: RatioResult): number {
  const { rounds, tcpRounds } = PACES.default;
  const ofCase = CASES.find((entry) => entry.name === name)?.rounds?.default ?? rounds;
  const ofSubjects = SUBJECTS.filter((entry) => [subject, baseline].includes(entry.name)).map(
    (entry) => entry.rounds?.default ?? rounds,
  );
  return Math.min(ofCase, ...ofSubjects, family === 'tcp' ? tcpRounds : rounds);
}

/** Of all that one table is made of: one host and one commit, each on a Node of its own. */
function reasonsOf(excerpts: readonly Excerpt[]): string[] {
  const differ = (partOf: (excerpt: Excerpt) => unknown): boolean =>
    new Set(excerpts.map((excerpt) => JSON.stringify(partOf(excerpt)))).size > 1;
  return [
    ...excerpts.flatMap((excerpt) => {
      const node = nodeOf(excerpt, excerpts);
      return unrestOf(excerpt).map((reason) => (node === undefined ? reason : `${node}: ${reason}`));
    }),
    ...(differ(({ host: { cpu, cores, kernel } }) => [cpu, cores, kernel])
      ? ['the results are of different hosts']
      : []),
    ...(differ(({ versions: { commit } }) => commit) ? ['the results are of different commits'] : []),
    ...(new Set(excerpts.map(({ versions: { node } }) => node)).size < excerpts.length
      ? ['two results are of one version of Node']
      : []),
  ];
}

/** What whoever wants it in the README is told; undefined: it may go there. */
export function refusalOf(excerpts: readonly Excerpt[]): string | undefined {
  const reasons = reasonsOf(excerpts);
  if (reasons.length === 0) return undefined;
  return ['not fit for the README; --anyway writes it there, with these reasons:', ...reasons].join('\n  ');
}

/** For the lines under the table, where somebody wanted it there anyway. */
export function describeUnrest(excerpts: readonly Excerpt[]): string[] {
  const reasons = reasonsOf(excerpts);
  return reasons.length === 0 ? [] : ['', `**Not of a host at rest**: ${reasons.join('; ')}.`];
}
