/** The line in front of a chunk: RFC 9112, 7.1. */
import { TOKEN } from './request-line.js';
import { violation, type Violation } from './violation.js';

const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';
const EXTENSION = `[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED}))?`;
const CHUNK_HEADER = new RegExp(`^([\\dA-Fa-f]+)(?:${EXTENSION})*$`);
const SIZE = /^[\dA-Fa-f]+(?=[ \t]*(?:;|$))/;

/** The size in bytes. */
export function readChunkHeader(line: string): number | Violation {
  const digits = CHUNK_HEADER.exec(line)?.[1];
  if (digits === undefined) {
    return SIZE.test(line)
      ? violation('an invalid chunk extension', '9112, 7.1.1')
      : violation('an invalid chunk size', '9112, 7.1');
  }
  const size = parseInt(digits, 16);
  return Number.isSafeInteger(size) ? size : violation('a chunk size that is too large', '9112, 7.1');
}
