/** What the figures say: which buffer for which response, and where it would not matter. */
import { formatBytes, formatSpread } from '../format.js';
import { nameWith } from '../lineup.js';
import type { SeriesResult } from '../model.js';
import { median, ratioWithinRounds, ROUNDS_TO_JUDGE, valuesByRound, type RatioSummary } from '../statistics.js';
import { distinct, waysOf, type BufferChoice, type Conclusion, type Reason, type Take, type WayName } from './model.js';

/** A gain that nobody would notice is none, however sure it is. */
const NOTICEABLE = 0.05;

/** A buffer that has been measured with responses of one size. */
interface Candidate {
  readonly take: Take;
  /** Throughput, by round. */
  readonly rates: ReadonlyMap<number, number>;
}

/** One conclusion for each way and size that has been measured with the default buffer and another. */
export function conclude(results: readonly SeriesResult[], takes: readonly Take[]): Conclusion[] {
  return waysOf(takes).flatMap((way) =>
    results
      .filter(({ series }) => series.case.name === way.case)
      .flatMap((result) => {
        const candidates = takes
          .filter((take) => take.way === way.name)
          .map((take) => {
            const subject = subjectWith(way.subject, take.buffer);
            return { take, rates: valuesByRound(result, subject, ({ values }) => values.rate) };
          })
          .filter(({ rates }) => rates.size > 0);
        const usual = candidates.find(({ take }) => take.buffer === 'default');
        if (usual === undefined || candidates.length < 2) return [];
        return [concludeOne(Number(result.series.params['bytes']), usual, smallestFirst(candidates))];
      }),
  );
}

/** What the bench calls a subject with this buffer. */
export function subjectWith(subject: string, buffer: BufferChoice): string {
  return buffer === 'default' ? subject : nameWith(subject, buffer);
}

/** By what they come to, and the default before others that come to the same: changing nothing is simpler. */
function smallestFirst(candidates: readonly Candidate[]): Candidate[] {
  const asked = ({ buffer }: Take): number => (buffer === 'default' ? 0 : buffer);
  return candidates.toSorted(({ take: a }, { take: b }) => a.effective - b.effective || asked(a) - asked(b));
}

interface Level {
  readonly candidate: Candidate;
  /** Throughput against the median of all buffers in the same round, so that what disturbs a round disturbs no comparison. */
  readonly median: number;
  readonly low: number;
}

function concludeOne(bytes: number, usual: Candidate, candidates: readonly Candidate[]): Conclusion {
  const levels = levelsOf(candidates);
  const best = levels.reduce((a, b) => (b.median > a.median ? b : a));
  // Within the spread of the best: as good as it was in its worst round, or so near that nobody would notice.
  const asGood = Math.min(best.low, best.median * (1 - NOTICEABLE));
  const bend = (levels.find((level) => level.median >= asGood) ?? best).candidate;
  const usualLevel = levels.find(({ candidate }) => candidate === usual)?.median ?? NaN;
  const bestGain = gainOf(best.candidate, usual);
  const bendGain = gainOf(bend, usual);
  const reason = reasonOf(usual, usualLevel >= asGood, bestGain, bendGain);
  const chosen = reason === 'bend' ? bend : usual;
  const takesWhole = ({ take }: Candidate): boolean => take.bytes >= bytes;
  const found = {
    way: usual.take.way,
    bytes,
    buffer: chosen.take.buffer,
    reason,
    gain: chosen === usual ? SAME : bendGain,
    best: { buffer: best.candidate.take.buffer, gain: bestGain },
    whole: (takesWhole(usual) ? usual : candidates.find(takesWhole))?.take.buffer ?? null,
  };
  return { ...found, text: describe(found) };
}

const SAME: RatioSummary = { median: 1, low: 1, high: 1, rounds: 0 };

function reasonOf({ rates }: Candidate, usualIsAsGood: boolean, best: RatioSummary, bend: RatioSummary): Reason {
  if (rates.size < ROUNDS_TO_JUDGE) return 'few';
  if (best.median < 1 + NOTICEABLE) return 'flat';
  return usualIsAsGood || bend.low <= 1 ? 'noise' : 'bend';
}

function levelsOf(candidates: readonly Candidate[]): Level[] {
  const middles = new Map<number, number>();
  for (const round of distinct(candidates.flatMap(({ rates }) => [...rates.keys()]))) {
    middles.set(round, median(candidates.map(({ rates }) => rates.get(round)).filter((rate) => rate !== undefined)));
  }
  return candidates.map((candidate) => {
    const values = [...candidate.rates].map(([round, rate]) => rate / (middles.get(round) ?? NaN));
    return { candidate, median: median(values), low: Math.min(...values) };
  });
}

function gainOf({ rates }: Candidate, usual: Candidate): RatioSummary {
  return ratioWithinRounds(rates, usual.rates) ?? SAME;
}

function describe({ buffer, reason, gain, best }: Omit<Conclusion, 'text'>): string {
  switch (reason) {
    case 'bend': {
      const more = best.buffer === buffer ? 'the best there was' : `the best, ${nameOf(best.buffer)}, is no better`;
      return `${nameOf(buffer)}: ${formatSpread(gain)} of the default's throughput, ${more}`;
    }
    case 'flat':
      return best.buffer === 'default'
        ? 'no change: nothing is better than the default'
        : `no change: the best, ${nameOf(best.buffer)}, gives ${formatSpread(best.gain)}`;
    case 'noise':
      return `no change: the default is within the noise of the best, ${nameOf(best.buffer)} with ${formatSpread(best.gain)}`;
    case 'few':
      return `too few rounds to tell: the best was ${nameOf(best.buffer)} with ${formatSpread(best.gain)}`;
  }
}

export function nameOf(buffer: BufferChoice): string {
  return buffer === 'default' ? buffer : formatBytes(buffer);
}

/** Sizes, in their order, that a buffer is for: `64 KiB to 1 MiB, 16 MiB` of all that were measured. */
export function rangesOf(sizes: readonly number[], all: readonly number[]): string {
  const ranges: string[] = [];
  for (let from = 0; from < all.length; from++) {
    if (!sizes.includes(all[from] ?? NaN)) continue;
    let to = from;
    while (sizes.includes(all[to + 1] ?? NaN)) to++;
    const [first, last] = [all[from] ?? 0, all[to] ?? 0];
    ranges.push(first === last ? formatBytes(first) : `${formatBytes(first)} to ${formatBytes(last)}`);
    from = to;
  }
  return ranges.join(', ');
}

/** Which responses, and how they leave, a buffer is for. */
export interface Use {
  readonly buffer: number;
  readonly ways: readonly { readonly way: WayName; readonly sizes: readonly number[] }[];
}

/** The buffers that a conclusion is to set, the smallest first. */
export function usesOf(conclusions: readonly Conclusion[]): Use[] {
  const buffers = distinct(conclusions.map(({ buffer }) => buffer)).filter((buffer) => buffer !== 'default');
  return buffers
    .sort((a, b) => a - b)
    .map((buffer) => {
      const of = conclusions.filter((conclusion) => conclusion.buffer === buffer);
      const ways = waysOf(of).map(({ name }) => ({
        way: name,
        sizes: of.filter(({ way }) => way === name).map(({ bytes }) => bytes),
      }));
      return { buffer, ways };
    });
}
