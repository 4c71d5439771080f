/** Building blocks of Markdown pages. */

/** A table in Prettier's layout. */
export function markdownTable(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...body].map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

const END = '\n\n<!-- end -->';

/**
 * Splits a page into three parts: the middle one is between the markers, and is generated from this file of
 * bench/results. A page with several such blocks names them.
 */
export function partsOf(page: string, file: string, name?: string): [before: string, block: string, after: string] {
  const title = name === undefined ? 'Made' : `${name}, made`;
  const marker = `<!-- ${title} by npm run bench:readme from bench/results/${file}: begin -->\n\n`;
  const start = page.indexOf(marker) + marker.length;
  const end = page.indexOf(END, start);
  if (start < marker.length || end < 0) throw new Error(`the page has no "${marker.trim()}" with an end after it`);
  return [page.slice(0, start), page.slice(start, end), page.slice(end)];
}
