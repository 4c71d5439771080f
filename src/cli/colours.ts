/** Colours of a terminal; none where output is no terminal, or NO_COLOR is set (`hasColors` reads it). */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export function paint(style: Style, text: string): string {
  // A stream that is no terminal has no such method.
  const isColoured = (process.stdout as Partial<NodeJS.WriteStream>).hasColors?.() ?? false;
  return isColoured ? styleText(style, text) : text;
}
