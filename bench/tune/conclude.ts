/** The conclusions: which buffer for which response, and where it would not matter. */
import { formatBytes, formatSpread } from '../format.js';
import { nameWith } from '../lineup.js';
import type { SeriesResult } from '../model.js';
import { median, ratioWithinRounds, ROUNDS_TO_JUDGE, valuesByRound, type RatioSummary } from '../statistics.js';
import { distinct, waysOf, type BufferChoice, type Conclusion, type Reason, type Take, type Way } from './model.js';

/** A smaller gain is ignored, however certain it is. */
const NOTICEABLE = 0.05;

/** A buffer that was measured with responses of one size. */
interface Candidate {
  readonly take: Take;
  /** Throughput, by round. */
  readonly rates: ReadonlyMap<number, number>;
  /** Throughput relative to the median of all buffers in a round, so that a disturbance affects no comparison. */
  readonly level: number;
  readonly worst: number;
}

/** One conclusion for each way and size that was measured with the default buffer and at least one other. */
export function conclude(results: readonly SeriesResult[], takes: readonly Take[]): Conclusion[] {
  return waysOf(takes).flatMap((way) =>
    results
      .filter(({ series }) => series.case.name === way.case)
      .flatMap((result) => {
        const candidates = candidatesOf(way, result, takes);
        const usual = candidates.find(({ take }) => take.buffer === 'default');
        if (usual === undefined || candidates.length < 2) return [];
        return [concludeOne(Number(result.series.params['bytes']), usual, candidates)];
      }),
  );
}

/** The bench's name of a subject with this buffer. */
export function subjectWith(subject: string, buffer: BufferChoice): string {
  return buffer === 'default' ? subject : nameWith(subject, buffer);
}

/** Sorted by effective size, and the default before others of the same size: changing nothing is simpler. */
function candidatesOf(way: Way, result: SeriesResult, takes: readonly Take[]): Candidate[] {
  const measured = takes
    .filter((take) => take.way === way.name)
    .map((take) => {
      const subject = subjectWith(way.subject, take.buffer);
      return { take, rates: valuesByRound(result, subject, ({ values }) => values.rate) };
    })
    .filter(({ rates }) => rates.size > 0);
  const middleOf = (round: number): number => median(measured.flatMap(({ rates }) => rates.get(round) ?? []));
  const asked = ({ buffer }: Take): number => (buffer === 'default' ? 0 : buffer);
  return measured
    .map(({ take, rates }) => {
      const levels = [...rates].map(([round, rate]) => rate / middleOf(round));
      return { take, rates, level: median(levels), worst: Math.min(...levels) };
    })
    .sort(({ take: a }, { take: b }) => a.effective - b.effective || asked(a) - asked(b));
}

function concludeOne(bytes: number, usual: Candidate, candidates: readonly Candidate[]): Conclusion {
  const best = candidates.reduce((a, b) => (b.level > a.level ? b : a));
  // Within the spread of the best: at least its worst round, or so close that the difference is not noticeable.
  const asGood = Math.min(best.worst, best.level * (1 - NOTICEABLE));
  const bend = candidates.find(({ level }) => level >= asGood) ?? best;
  const bestGain = gainOf(best, usual);
  const reason = reasonOf(usual, usual.level >= asGood, bestGain, gainOf(bend, usual));
  const chosen = reason === 'bend' ? bend : usual;
  const takesWhole = ({ take }: Candidate): boolean => take.bytes >= bytes;
  const found = {
    way: usual.take.way,
    bytes,
    buffer: chosen.take.buffer,
    reason,
    gain: gainOf(chosen, usual),
    best: { buffer: best.take.buffer, gain: bestGain },
    whole: (takesWhole(usual) ? usual : candidates.find(takesWhole))?.take.buffer ?? null,
  };
  return { ...found, text: describe(found) };
}

function reasonOf({ rates }: Candidate, usualIsAsGood: boolean, best: RatioSummary, bend: RatioSummary): Reason {
  if (rates.size < ROUNDS_TO_JUDGE) return 'few';
  if (best.median < 1 + NOTICEABLE) return 'flat';
  return usualIsAsGood || bend.low <= 1 ? 'noise' : 'bend';
}

function gainOf({ rates }: Candidate, usual: Candidate): RatioSummary {
  // An interrupted run may have no round with both.
  return ratioWithinRounds(rates, usual.rates) ?? { median: 1, low: 1, high: 1, rounds: 0 };
}

function describe({ buffer, reason, gain, best }: Omit<Conclusion, 'text'>): string {
  const name = nameOf(best.buffer);
  const spread = formatSpread(best.gain);
  switch (reason) {
    case 'bend': {
      const more = best.buffer === buffer ? 'the best result' : `the best, ${name}, is no better`;
      return `${nameOf(buffer)}: ${formatSpread(gain)} of the default's throughput, ${more}`;
    }
    case 'flat':
      if (best.buffer === 'default') return 'no change: nothing is better than the default';
      return `no change: the best, ${name}, gives ${spread}`;
    case 'noise':
      return `no change: the default is within the noise of the best, ${name} with ${spread}`;
    case 'few':
      return `too few rounds to tell: the best was ${name} with ${spread}`;
  }
}

export function nameOf(buffer: BufferChoice): string {
  return buffer === 'default' ? buffer : formatBytes(buffer);
}

/** The buffers that a conclusion recommends, the smallest first. */
export function buffersOf(conclusions: readonly Pick<Conclusion, 'buffer'>[]): number[] {
  const buffers = distinct(conclusions.map(({ buffer }) => buffer));
  return buffers.filter((buffer) => buffer !== 'default').sort((a, b) => a - b);
}
