/**
 * Puts node's parsers into their failed states: ended in the middle of a message, or stopped by a callback that threw.
 */
import type { NodeParser, ParseError, ParserFacts } from '../node/http-parser.js';

export type BreakingCallback = 'kOnHeadersComplete' | 'kOnBody' | 'kOnMessageComplete';

const REQUEST = Buffer.from('POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx');

/** The error of a parser whose peer ends in the middle of a message. */
export function cutShortError({ parserClass }: ParserFacts): ParseError | undefined {
  const parser = new parserClass();
  parser.initialize(parserClass.REQUEST, {});
  parser.execute(REQUEST.subarray(0, -1));
  const error = parser.finish();
  parser.close();
  return error;
}

/** Leaves a parser that is between two messages as if this callback had thrown. From then on it returns errors. */
export function breakParser(
  { parserClass, execute }: ParserFacts,
  parser: NodeParser,
  callback: BreakingCallback,
): void {
  const names = ['kOnHeadersComplete', 'kOnBody', 'kOnMessageComplete'] as const;
  const before = names.map((name) => parser[parserClass[name]] ?? null);
  for (const name of names) parser[parserClass[name]] = () => 0;
  const broken = new Error('broken');
  parser[parserClass[callback]] = () => {
    throw broken;
  };
  try {
    execute.call(parser, REQUEST);
  } catch (error) {
    if (error !== broken) throw error;
  } finally {
    names.forEach((name, i) => (parser[parserClass[name]] = before[i] ?? null));
  }
}
