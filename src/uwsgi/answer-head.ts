/** Collects the header block of a response, however it is split into pieces. */
import { answerHeadTooLargeError } from '../errors/index.js';
import { endOfHead, parseHead, type AnswerHead } from './answer.js';

const NOTHING = Buffer.alloc(0);
/** The empty line at its end may begin this many bytes before the next piece. */
const END_BYTES = 3;
const SWITCHING_PROTOCOLS = 101;

export class HeadReader {
  private held = NOTHING;
  private passedOver = 0;

  /** `limit`: bytes that may arrive before the end of the headers. */
  constructor(private readonly limit: number) {}

  /** All bytes so far. */
  get length(): number {
    return this.passedOver + this.held.length;
  }

  /** Responses before the final one (103 Early Hints) are skipped, and count towards the limit. */
  take(piece: Uint8Array): { head: AnswerHead; rest: Buffer } | undefined {
    let from = Math.max(0, this.held.length - END_BYTES);
    // The piece is lent, so it must be copied in any case.
    this.held = Buffer.concat([this.held, piece]);
    for (;;) {
      const end = endOfHead(this.held, from);
      if (this.passedOver + (end < 0 ? this.held.length : end) > this.limit) throw answerHeadTooLargeError(this.limit);
      if (end < 0) return undefined;
      const head = parseHead(this.held.subarray(0, end));
      const rest = this.held.subarray(end);
      if (head.statusCode >= 200 || head.statusCode === SWITCHING_PROTOCOLS) return { head, rest };
      this.held = rest;
      this.passedOver += end;
      from = 0;
    }
  }
}
