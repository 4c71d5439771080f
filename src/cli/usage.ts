/** What the subcommands share for words that they do not know. */

/** The exit code of a command line that makes no sense, as shells and getopt programs have it. */
export const USAGE_EXIT = 2;

/** The command line is at fault; the message says how. */
export class UsageError extends Error {}

/** A word is taken for a slip of another if no more than this share of it is wrong. */
const SIMILAR = 0.5;

/** Takes `a,b` apart and checks each word. */
export function parseList<const T extends string>(what: string, text: string, known: readonly T[]): T[] {
  const words = text.split(',').map((word) => word.trim());
  return [...new Set(words.map((word) => parseWord(what, word, known)))];
}

function parseWord<const T extends string>(what: string, word: string, known: readonly T[]): T {
  const found = known.find((entry) => entry === word);
  if (found !== undefined) return found;
  const near = nearest(word, known);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new UsageError(`unknown ${what} '${word}'.${hint} There are: ${known.join(', ')}`);
}

export function parseWhole(option: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < lowest || value > highest) {
    throw new UsageError(
      `${option} takes a whole number from ${String(lowest)} to ${String(highest)}, not '${text}', as in ${option} 7`,
    );
  }
  return value;
}

export function parseDecimal(option: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value < lowest || value > highest) {
    throw new UsageError(
      `${option} takes a number from ${String(lowest)} to ${String(highest)}, not '${text}', as in ${option} 2.5`,
    );
  }
  return value;
}

const BYTE_UNITS = { '': 1, k: 1024, m: 1024 * 1024, g: 1024 * 1024 * 1024 } as const;

/** Takes `64k,1m` apart: bytes, KiB, MiB or GiB. */
export function parseByteList(option: string, text: string, lowest: number, highest: number): number[] {
  const sizes = text.split(',').map((word) => {
    const [, digits, unit] = /^(\d+)(|k|m|g)(?:i?b)?$/i.exec(word.trim()) ?? [];
    const bytes = Number(digits) * BYTE_UNITS[(unit ?? '').toLowerCase() as keyof typeof BYTE_UNITS];
    if (digits === undefined || bytes < lowest || bytes > highest) {
      throw new UsageError(
        `${option} takes sizes from ${String(lowest)} to ${String(highest)} bytes, not '${word.trim()}', as in ${option} 64k,1m`,
      );
    }
    return bytes;
  });
  return [...new Set(sizes)];
}

/** The known word that was most likely meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < least && distance <= Math.max(word.length, candidate.length) * SIMILAR) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein: insertions, deletions and substitutions from one to the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
