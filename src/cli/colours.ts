/** Terminal colors; none if output is not a terminal, or NO_COLOR is set (`hasColors` reads it). */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export function paint(style: Style, text: string): string {
  // A stream that is not a terminal has no such method.
  const isColoured = (process.stdout as Partial<NodeJS.WriteStream>).hasColors?.() ?? false;
  return isColoured ? styleText(style, text) : text;
}
