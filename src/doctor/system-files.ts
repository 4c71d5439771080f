/** The files under /proc and /sys that say how a system is set up. */
import { readFileSync } from 'node:fs';

/** A file's text without the last line's end; undefined where it can't be read. */
export type ReadText = (path: string) => string | undefined;

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}

/** A file that holds one number; undefined where it does not. */
export function readNumber(read: ReadText, path: string): number | undefined {
  const text = read(path);
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

/** `212992` as `208 KiB`. */
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
