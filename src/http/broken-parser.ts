/** Puts node's parsers into the states in which others have read their messages: broken off, or behind the last one. */
import type { NodeParser, ParserFacts } from '../node/http-parser.js';

export type BreakingCallback = 'kOnHeadersComplete' | 'kOnBody' | 'kOnMessageComplete';

const REQUEST = Buffer.from('POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx');

const CALLBACKS = ['kOnHeadersComplete', 'kOnBody', 'kOnMessageComplete'] as const;

/** Makes the parser read these bytes with no callback but this one. */
function readAside(
  { parserClass, execute }: ParserFacts,
  parser: NodeParser,
  bytes: Buffer,
  name?: BreakingCallback,
  callback: () => unknown = nothing,
): void {
  const before = CALLBACKS.map((other) => parser[parserClass[other]] ?? null);
  for (const other of CALLBACKS) parser[parserClass[other]] = other === name ? callback : nothing;
  try {
    execute.call(parser, bytes);
  } finally {
    CALLBACKS.forEach((other, i) => (parser[parserClass[other]] = before[i] ?? null));
  }
}

function nothing(): number {
  return 0;
}

/** Leaves a parser that is between two messages as if this callback had thrown. From then on it returns errors. */
export function breakParser(facts: ParserFacts, parser: NodeParser, callback: BreakingCallback): void {
  const broken = new Error('broken');
  try {
    readAside(facts, parser, REQUEST, callback, () => {
      throw broken;
    });
  } catch (error) {
    if (error !== broken) throw error;
  }
}

/** A body is only counted by the parser, which is given as many other bytes. */
const FILLER = Buffer.alloc(64 * 1024);

/** Gives the parser so many bytes of a body, none of which its callback gets. */
export function skipBody(
  { parserClass: { kOnBody } }: Pick<ParserFacts, 'parserClass'>,
  parser: NodeParser,
  length: number,
  execute = parser.execute,
): void {
  const onBody = parser[kOnBody];
  parser[kOnBody] = null;
  for (let left = length; left > 0; left -= FILLER.length) execute.call(parser, FILLER.subarray(0, left));
  parser[kOnBody] = onBody ?? null;
}

/** As `breakParser`, for one that still expects so many bytes of a body. */
export function breakWithin(
  facts: ParserFacts,
  parser: NodeParser,
  bodyLeft: number,
  callback: BreakingCallback,
): void {
  const { kOnMessageComplete } = facts.parserClass;
  const onMessageComplete = parser[kOnMessageComplete];
  parser[kOnMessageComplete] = null;
  // It may be paused.
  parser.resume();
  skipBody(facts, parser, bodyLeft, facts.execute);
  parser[kOnMessageComplete] = onMessageComplete ?? null;
  breakParser(facts, parser, callback);
}

const LAST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');

/** Leaves a parser that is between two messages as if the one before was its connection's last. */
export function endParser(facts: ParserFacts, parser: NodeParser): void {
  readAside(facts, parser, LAST);
}
