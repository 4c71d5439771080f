/** What pages in Markdown are made of. */

/** A table as Prettier lays it out. */
export function markdownTable(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...body].map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

const END = '<!-- end -->';

/** What stands before a block that is made of this file of bench/results. */
export function markerOf(file: string): string {
  return `<!-- Made by npm run bench:readme from bench/results/${file}: begin -->`;
}

/** A page with another block between its markers. */
export function replaceBlock(page: string, block: string, file = 'readme.json'): string {
  const { start, end } = find(page, file);
  return `${page.slice(0, start)}\n\n${block}\n\n${page.slice(end)}`;
}

/** What stands between the markers now. */
export function blockOf(page: string, file = 'readme.json'): string {
  const { start, end } = find(page, file);
  return page.slice(start, end).trim();
}

function find(page: string, file: string): { start: number; end: number } {
  const marker = markerOf(file);
  const begin = page.indexOf(marker);
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`the page has no "${marker}" with "${END}" after it`);
  return { start: begin + marker.length, end };
}
