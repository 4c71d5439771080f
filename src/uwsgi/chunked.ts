/** An incremental decoder of HTTP/1.1's chunked transfer coding (RFC 9112, 7.1). */
import { badAnswerError } from '../errors/index.js';

/** Longer than any realistic chunk size with extensions. */
const LINE_LIMIT = 4096;
/** For all trailers together; node's own limit for headers. */
const TRAILERS_LIMIT = 16_384;
const LF = 10;

type State = 'size' | 'data' | 'end of data' | 'trailers' | 'over';

/** Drops trailers and extensions. */
export class ChunkedDecoder {
  private state: State = 'size';
  /** Bytes of this chunk that are still missing. */
  private left = 0;
  private line = '';
  private trailers = 0;

  get over(): boolean {
    return this.state === 'over';
  }

  /** Passes the body bytes within `[start, end)` of `data` to `take`, as ranges of `data`. */
  decode(data: Buffer, start: number, end: number, take: (start: number, end: number) => void): void {
    let at = start;
    while (at < end && this.state !== 'over') {
      if (this.state === 'data') {
        const until = Math.min(end, at + this.left);
        take(at, until);
        this.left -= until - at;
        at = until;
        if (this.left === 0) this.state = 'end of data';
        continue;
      }
      const lf = data.indexOf(LF, at);
      const until = lf < 0 || lf >= end ? end : lf;
      this.line += data.toString('latin1', at, until);
      if (this.line.length > LINE_LIMIT) throw badAnswerError('a line between chunks is too long');
      if (until === end) return;
      at = until + 1;
      const line = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
      this.line = '';
      this.takeLine(line);
    }
  }

  private takeLine(line: string): void {
    if (this.state === 'size') {
      const [, digits] = /^([0-9A-Fa-f]{1,13})[\t ]*(?:;.*)?$/.exec(line) ?? [];
      if (digits === undefined) throw badAnswerError('the size of a chunk is not a hexadecimal number');
      this.left = Number.parseInt(digits, 16);
      this.state = this.left === 0 ? 'trailers' : 'data';
    } else if (this.state === 'end of data') {
      if (line !== '') throw badAnswerError('a chunk is longer than its size');
      this.state = 'size';
    } else {
      this.trailers += line.length;
      if (this.trailers > TRAILERS_LIMIT) throw badAnswerError('the trailers are too long');
      if (line === '') this.state = 'over';
    }
  }
}
