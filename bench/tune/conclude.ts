/** What the figures say: which buffer for which response, and where it would not matter. */
import { formatBytes, formatSpread } from '../format.js';
import { median, ratioWithinRounds, ROUNDS_TO_JUDGE, type RatioSummary } from '../statistics.js';
import {
  STALL_MS,
  type BufferChoice,
  type CellResult,
  type Conclusion,
  type Reason,
  type SubjectName,
} from './model.js';
import { valuesByRound } from './summary.js';

/** A gain that nobody would notice is none, however sure it is. */
const NOTICEABLE = 0.05;
/** A response has left before its reader began if it took less than this share of the stall; the rest is for timers. */
const BEFORE_THE_READER = 0.9;

/** One conclusion for each subject and size that has been measured with the default buffer and another. */
export function conclude(cells: readonly CellResult[]): Conclusion[] {
  const groups = new Map<string, CellResult[]>();
  for (const cell of cells) {
    const key = `${cell.subject} ${String(cell.size)}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].flatMap((group) => {
    const usual = group.find(({ buffer }) => buffer === 'default');
    return usual === undefined || group.length < 2 ? [] : [concludeOne(usual, smallestFirst(group))];
  });
}

/** By what they come to, and the default before others that come to the same: changing nothing is simpler. */
function smallestFirst(cells: readonly CellResult[]): CellResult[] {
  const isSet = ({ buffer }: CellResult): number => (buffer === 'default' ? 0 : 1);
  const asked = ({ buffer }: CellResult): number => (buffer === 'default' ? 0 : buffer);
  return cells.toSorted((a, b) => a.effective - b.effective || isSet(a) - isSet(b) || asked(a) - asked(b));
}

interface Level {
  readonly cell: CellResult;
  /** Throughput against the median of all buffers in the same round, so that what disturbs a round disturbs no comparison. */
  readonly median: number;
  readonly low: number;
}

function concludeOne(usual: CellResult, cells: readonly CellResult[]): Conclusion {
  const levels = levelsOf(cells);
  const best = levels.reduce((a, b) => (b.median > a.median ? b : a));
  // Within the spread of the best: as good as it was in its worst round, or so near that nobody would notice.
  const asGood = Math.min(best.low, best.median * (1 - NOTICEABLE));
  const bend = (levels.find((level) => level.median >= asGood) ?? best).cell;
  const usualLevel = levels.find(({ cell }) => cell === usual)?.median ?? NaN;
  const bestGain = gainOf(best.cell, usual);
  const bendGain = gainOf(bend, usual);
  const reason = reasonOf(usual, usualLevel >= asGood, bestGain, bendGain);
  const chosen = reason === 'bend' ? bend : usual;
  const found = {
    subject: usual.subject,
    size: usual.size,
    buffer: chosen.buffer,
    reason,
    gain: chosen === usual ? SAME : bendGain,
    best: { buffer: best.cell.buffer, gain: bestGain },
    whole: takesWhole(usual) ? usual.buffer : firstWhole(cells),
  };
  return { ...found, text: describe(found) };
}

const SAME: RatioSummary = { median: 1, low: 1, high: 1, rounds: 0 };

function reasonOf(usual: CellResult, usualIsAsGood: boolean, best: RatioSummary, bend: RatioSummary): Reason {
  if (usual.rounds.length < ROUNDS_TO_JUDGE) return 'few';
  if (best.median < 1 + NOTICEABLE) return 'flat';
  return usualIsAsGood || bend.low <= 1 ? 'noise' : 'bend';
}

function levelsOf(cells: readonly CellResult[]): Level[] {
  const rates = cells.map((cell) => valuesByRound(cell, 'rate'));
  const middles = new Map<number, number>();
  for (const round of new Set(cells.flatMap(({ rounds }) => rounds))) {
    middles.set(round, median(rates.map((byRound) => byRound.get(round)).filter((rate) => rate !== undefined)));
  }
  return cells.map((cell, index) => {
    const values = [...(rates[index] ?? [])].map(([round, rate]) => rate / (middles.get(round) ?? NaN));
    return { cell, median: median(values), low: Math.min(...values) };
  });
}

function gainOf(cell: CellResult, usual: CellResult): RatioSummary {
  return ratioWithinRounds(valuesByRound(cell, 'rate'), valuesByRound(usual, 'rate')) ?? SAME;
}

/** The sender was through with the response before its reader had begun. */
export function takesWhole({ measures }: CellResult): boolean {
  return measures.held.median < BEFORE_THE_READER * STALL_MS * 1e3;
}

/** By what a connection begins with: what grows for readers that keep up does not for those that lag. */
function firstWhole(cells: readonly CellResult[]): BufferChoice | null {
  const begun = cells.filter(takesWhole).toSorted((a, b) => a.set - b.set);
  return begun[0]?.buffer ?? null;
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

/** Which subjects, and which responses of theirs, a buffer is for. */
export interface Use {
  readonly buffer: number;
  readonly subjects: readonly { readonly subject: SubjectName; readonly sizes: readonly number[] }[];
}

/** The buffers that a conclusion is to set, the smallest first. */
export function usesOf(conclusions: readonly Conclusion[]): Use[] {
  const buffers = [...new Set(conclusions.map(({ buffer }) => buffer))].filter((buffer) => buffer !== 'default');
  return buffers
    .sort((a, b) => a - b)
    .map((buffer) => {
      const of = conclusions.filter((conclusion) => conclusion.buffer === buffer);
      const subjects = [...new Set(of.map(({ subject }) => subject))];
      return {
        buffer,
        subjects: subjects.map((subject) => ({
          subject,
          sizes: of.filter((conclusion) => conclusion.subject === subject).map(({ size }) => size),
        })),
      };
    });
}
