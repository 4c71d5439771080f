/**
 * Raw requests in other projects' tests, read from a folder with their checkouts; none of them is kept here. What is
 * computed by their programs, and not written as text, is left out.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vector } from './vectors.js';

/** The name that a checkout's folder has, and how its requests are found. */
const READERS: Readonly<Record<string, (folder: string) => Vector[]>> = {
  Http11Probe: (folder) => filesOf(join(folder, 'src/Http11Probe/TestCases/Suites'), '.cs').flatMap(readProbe),
  h1spec: (folder) => readLiterals(join(folder, 'http_test.ts'), /request: "((?:[^"\\]|\\.)*)"/g),
  llhttp: (folder) => filesOf(join(folder, 'test/request'), '.md').flatMap(readMarkdown),
  'http-garden': (folder) => [
    ...readLiterals(join(folder, 'TROPHIES.md'), /Payload: `([^`]*)`/g),
    ...filesOf(join(folder, 'tools'), '.py').flatMap((file) =>
      readLiterals(file, /b"((?:[^"\\]|\\.)*HTTP(?:[^"\\]|\\.)*)"/g),
    ),
  ],
};

export const CORPORA = Object.keys(READERS);

/** Of one of CORPORA; undefined if its checkout is not there. */
export function corpus(directory: string, name: string): Vector[] | undefined {
  const folder = join(directory, name);
  const vectors = existsSync(folder) ? READERS[name]?.(folder) : undefined;
  return vectors?.filter(({ bytes }) => bytes !== '');
}

export function filesOf(folder: string, ending: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file));
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', f: '\f', v: '\v', 0: '\0', b: '\b' };

/** Of a literal in any of these languages; the bytes of what is beyond ASCII are those of UTF-8. */
export function unescape(text: string): string {
  const plain = Buffer.from(text).toString('latin1');
  return plain.replace(/\\(?:x([0-9a-fA-F]{2})|([^]))/g, (_, hex: string | undefined, one: string) =>
    hex === undefined ? (ESCAPES[one] ?? one) : String.fromCharCode(parseInt(hex, 16)),
  );
}

function named(file: string, at: number, bytes: string): Vector {
  return { name: `${file.split('/').slice(-1).join('')} ${String(at)}`, section: '', bytes };
}

function readLiterals(file: string, form: RegExp): Vector[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(form)].map((match) => named(file, match.index, unescape(match[1] ?? '')));
}

/** The blocks of llhttp's tests, by the rules of its test/md-test.ts. */
function readMarkdown(file: string): Vector[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/```http\n([^]*?)\n?```/g)].flatMap((match) => {
    const block = match[1] ?? '';
    if (block.includes('${')) return [];
    const lines = block.replace(/\\\n/g, '').replace(/\n/g, '\r\n');
    const bytes = unescape(lines.replace(/\\(?![rntfx0-7])/g, '\\\\'));
    return [named(file, match.index, bytes)];
  });
}

const PIECE = /\$?"((?:[^"\\]|\\.)*)"|0x([0-9A-Fa-f]{2})\b|new string\('(.)', ([\d_]+)\)/g;

/** Each payload of a suite: its literals, one after the other, with the lengths that others need filled in. */
function readProbe(file: string): Vector[] {
  const text = readFileSync(file, 'utf8');
  const payloads = [
    ...text.matchAll(/PayloadFactory = ([^]*?)(?=\n\s*(?:Expected|Validator|Label|DynamicPayloadFactory|\};?|\}) ?)/g),
  ];
  return payloads.flatMap((match) => {
    const source = (match[1] ?? '').replace(/\/\/.*$/gm, '');
    const values = new Map<string, string>();
    for (const [, name = '', literal = ''] of source.matchAll(/var (\w+) = "((?:[^"\\]|\\.)*)";/g))
      values.set(name, unescape(literal));
    const rest = source.replace(/var \w+ = "(?:[^"\\]|\\.)*";/g, '');
    const bytes = [...rest.matchAll(PIECE)]
      .map(([, literal, hex, one, count = '']) => {
        if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
        return literal === undefined ? (one ?? '').repeat(Number(count.replaceAll('_', ''))) : unescape(literal);
      })
      .join('');
    const filled = bytes
      .replace(/\{ctx\.\w+\}/g, 'x')
      .replace(/\{(\w+)(\.Length)?\}/g, (whole, name: string, length) => {
        const value = values.get(name);
        return value === undefined ? whole : length === undefined ? value : String(value.length);
      });
    return [named(file, match.index, filled)];
  });
}
