/** Prose in lines of a width: the first begins with `first`, the others with `rest`. Words longer than a line stand whole. */
export function wrap(text: string, width: number, rest = '', first = ''): string {
  return text
    .split('\n')
    .map((paragraph, index) => wrapOne(paragraph, width, rest, index === 0 ? first : rest))
    .join('\n');
}

function wrapOne(text: string, width: number, rest: string, first: string): string {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/ +/)) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].join('\n');
}
