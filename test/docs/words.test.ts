/** Documentation and comments use HTTP's and the kernel's own terms. Words that they once had for them stay out. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

type Replacement = readonly [old: RegExp, better: string];

/** What to write in their place, in the documentation. */
const IN_PAGES: readonly Replacement[] = [
  [/\b(?<!in )fronts?\b(?!\.\w)/i, 'reverse proxy, or nginx'],
  [/\btells? of\b|\btold of\b|\bis told by\b/i, 'reports, is reported'],
  [/\bnobody (?:listens|waits|reads)\b|\bsomebody\b/i, 'no process, a process'],
  [/\bturns? of the loop\b|\bloop turns?\b/i, 'event-loop iteration'],
  [/\bborder\b/i, 'boundary'],
  [/\bheeds?\b/i, 'honors'],
  [/\bmends?\b/i, 'fix'],
  [/\bby (?:HTTP|TCP)\b/, 'over HTTP, over TCP'],
];

/** In comments: these too. A word with an innocent meaning is not among them. */
const IN_COMMENTS: readonly Replacement[] = [
  ...IN_PAGES,
  [/\b(?:no|some|any)body\b|\bwhoever\b/i, 'no process, another listener, the caller'],
  [/\bby the uwsgi protocol\b/, 'using the uwsgi protocol'],
  [/\bstands? (?:in the|there|behind|before)\b|\bwhat stands\b/i, 'is, is queued, is buffered'],
  [/\bof ours\b/i, "our own, or nearwire's"],
  [/\bfor so (?:long|many)\b/i, 'for this long, for N milliseconds'],
  [/\bat the most\b/i, 'at most'],
  [/\bas ever\b/i, 'unchanged'],
  [/\bread away\b/i, 'discarded'],
  [/\banswers (?:true|false|0|undefined|a negative errno)\b/i, 'returns'],
];

const root = fileURLToPath(new URL('../../', import.meta.url));

function filesIn(folder: string, ending: string): string[] {
  const files = readdirSync(root + folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith(ending)).map((file) => `${folder}/${file}`);
}

/** The lines of `text` with old words, from line `first` on. */
function found(text: string, first: number, replaced: readonly Replacement[]): string[] {
  return text
    .split('\n')
    .flatMap((line, at) =>
      replaced
        .filter(([word]) => word.test(line))
        .map(([, better]) => `${String(first + at)}: ${line.trim()} (${better})`),
    );
}

/** All comments of a source with their positions, in their order. */
function commentsOf(source: ts.SourceFile): (readonly [position: number, comment: string])[] {
  const { text } = source;
  const comments = new Map<number, string>();
  const visit = (node: ts.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.end) ?? []),
    ];
    for (const { pos, end } of ranges) comments.set(pos, text.slice(pos, end));
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...comments].sort(([a], [b]) => a - b);
}

function parse(text: string): ts.SourceFile {
  const options = { languageVersion: ts.ScriptTarget.Latest, jsDocParsingMode: ts.JSDocParsingMode.ParseNone };
  return ts.createSourceFile('source.ts', text, options, true);
}

function foundInComments(text: string): string[] {
  const source = parse(text);
  return commentsOf(source).flatMap(([at, comment]) =>
    found(comment, source.getLineAndCharacterOfPosition(at).line + 1, IN_COMMENTS),
  );
}

const pages = [
  'README.md',
  ...readdirSync(`${root}docs`).flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : [])),
];

it.each(pages)('%s has none of them', (page) => {
  expect(found(readFileSync(root + page, 'utf8'), 1, IN_PAGES)).toEqual([]);
});

const sources = filesIn('src', '.ts');

it('no comment of src has one of them', () => {
  expect(sources.length).toBeGreaterThan(0);
  const all = sources.flatMap((file) =>
    foundInComments(readFileSync(root + file, 'utf8')).map((line) => `${file}:${line}`),
  );
  expect(all).toEqual([]);
});

it('comments are distinguished from strings, templates and regular expressions', () => {
  const text = [
    "const a = '// somebody';",
    'const b = `/* somebody */ ${a /* nobody */} // somebody`;',
    'const c = /[/*]somebody[*/]/; // whoever',
    '/**',
    ' * It heeds.',
    ' */',
    'export const d = [a, b, c]; /* the border */',
  ].join('\n');
  expect(foundInComments(text).map((line) => line.split(':', 1)[0])).toEqual(['2', '3', '5', '7']);
});
