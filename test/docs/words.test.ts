/** The documentation uses HTTP's and the kernel's own terms. Words that it once had for them stay out. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(`${root}docs`).flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : [])),
];

/** What to write in their place. */
const REPLACED: readonly (readonly [RegExp, string])[] = [
  [/\b(?<!in )fronts?\b(?!\.\w)/i, 'reverse proxy, or nginx'],
  [/\btells? of\b|\btold of\b|\bis told by\b/i, 'reports, is reported'],
  [/\bnobody (?:listens|waits|reads)\b|\bsomebody\b/i, 'no process, a process'],
  [/\bturns? of the loop\b|\bloop turns?\b/i, 'event-loop iteration'],
  [/\bborder\b/i, 'boundary'],
  [/\bheeds?\b/i, 'honors'],
  [/\bmends?\b/i, 'fix'],
  [/\bby (?:HTTP|TCP)\b/, 'over HTTP, over TCP'],
];

it.each(pages)('%s has none of them', (page) => {
  const lines = readFileSync(root + page, 'utf8').split('\n');
  const found = lines.flatMap((line, at) =>
    REPLACED.filter(([word]) => word.test(line)).map(([, better]) => `${String(at + 1)}: ${line} (${better})`),
  );
  expect(found).toEqual([]);
});
