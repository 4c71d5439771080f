/** The files under /proc and /sys that describe a system's settings. */
import { readFileSync } from 'node:fs';

/** Returns a file's text without the final line break, or undefined if it is not readable. */
export type ReadText = (path: string) => string | undefined;

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}

/** A file that holds one number; undefined if it does not. */
export function readNumber(read: ReadText, path: string): number | undefined {
  const text = read(path);
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

/** `212992` becomes `208 KiB`. */
export function bytesInWords(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${String(Math.round(value * 10) / 10)} ${units[unit] ?? ''}`;
}
