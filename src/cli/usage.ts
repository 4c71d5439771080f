/** Arguments that a command does not know or cannot accept. */
import { EXIT_CODES } from './exit-codes.js';

/** Ends the command with a message and an exit code: invalid arguments, unless another code is given. */
export class UsageError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_CODES.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A word counts as a misspelling of another if at most this share of its letters is wrong. */
const SIMILAR = 0.5;

/** Splits `a,b` and checks each word. */
export function parseList<const T extends string>(what: string, text: string, known: readonly T[]): T[] {
  const words = text.split(',').map((word) => word.trim());
  return [...new Set(words.map((word) => parseWord(what, word, known)))];
}

/** Checks a word; the error suggests the most similar known one. */
export function parseWord<const T extends string>(what: string, word: string, known: readonly T[]): T {
  const found = known.find((entry) => entry === word);
  if (found !== undefined) return found;
  const near = nearest(word, known);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new UsageError(`unknown ${what} '${word}'.${hint} Known: ${known.join(', ')}`);
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

/** Parses `64k,1m`: bytes, KiB, MiB or GiB. */
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

/** The most similar known word. */
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

/** The Levenshtein distance: insertions, deletions and substitutions. */
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
